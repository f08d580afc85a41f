import { expect, test } from 'vitest'
import { compileSchema } from './json-schema.ts'

test('faults name the place and what is wrong there', () => {
  const check = compileSchema({
    type: 'object',
    properties: { name: { type: 'string' }, list: { type: 'array', items: { type: 'integer' } } },
    required: ['name'],
    additionalProperties: false,
  })
  expect(check?.({ name: 'x', list: [1, 2] })).toEqual([])
  expect(check?.({ list: [1, 'two'], extra: 1 })).toEqual([
    { path: 'value.name', message: 'is required' },
    { path: 'value.extra', message: 'is not a known field' },
    { path: 'value.list[1]', message: 'must be of type integer' },
  ])
})

test.each([
  ['not a schema', 5],
  ['null', null],
  ['an unknown type', { type: 'number-ish' }],
  ['a remote reference', { $ref: 'http://example.com/schema.json' }],
  ['a broken pattern', { type: 'string', pattern: '(' }],
  ['asynchronous', { $async: true }],
])('%s can not be compiled', (_name, schema) => {
  expect(compileSchema(schema)).toBeUndefined()
})

test('a pattern that would run for ever is stopped and does not fit', () => {
  const check = compileSchema({ type: 'string', pattern: '^(a+)+$' })
  expect(check?.('aaaa')).toEqual([])
  expect(check?.(`${'a'.repeat(50)}!`)).toHaveLength(1)
})

test('true allows everything, false nothing', () => {
  expect(compileSchema(true)?.({ any: 1 })).toEqual([])
  expect(compileSchema(false)?.(1)).toHaveLength(1)
})
