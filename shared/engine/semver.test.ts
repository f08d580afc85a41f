import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareVersions, isVersion, versionRange } from './semver.ts'

test.each([
  ['1.2.3', ['1.2.3'], ['1.2.4', '1.2.3-rc.1']],
  ['^1.2.0', ['1.2.0', '1.9.9'], ['1.1.9', '2.0.0', '2.0.0-rc.1', '1.3.0-rc.1']],
  ['^0.2.3', ['0.2.3', '0.2.9'], ['0.3.0', '1.0.0']],
  ['^0.0.3', ['0.0.3'], ['0.0.4']],
  ['^0', ['0.0.1', '0.9.0'], ['1.0.0']],
  ['~1.2.0', ['1.2.9'], ['1.3.0']],
  ['~1', ['1.9.0'], ['2.0.0']],
  ['1.x', ['1.0.0', '1.9.0'], ['2.0.0']],
  ['1', ['1.9.0'], ['2.0.0', '0.9.0']],
  ['*', ['0.0.1', '9.0.0'], ['1.0.0-rc.1']],
  ['>=1.0.0 <2.0.0', ['1.0.0', '1.9.9'], ['2.0.0', '0.9.9']],
  ['> 1.2', ['1.3.0'], ['1.2.9']],
  ['<=1.2', ['1.2.9'], ['1.3.0']],
  ['^1 || ^3', ['1.5.0', '3.0.0'], ['2.0.0']],
  ['>=1.0.0-rc.1', ['1.0.0-rc.2', '1.0.0'], ['1.0.0-beta', '1.1.0-rc.1']],
])('%s admits what it says', (range, inside, outside) => {
  const admits = versionRange(range)
  expect(inside.filter((version) => !admits(version))).toEqual([])
  expect(outside.filter(admits)).toEqual([])
})

test('precedence follows the example of the specification', () => {
  const order = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.1.0',
    '2.0.0',
  ]
  expect([...order].reverse().sort(compareVersions)).toEqual(order)
})

test('a caret range admits a version of the same major from its own on, and no other', () => {
  const version = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20))
  fc.assert(
    fc.property(version, version, (low, other) => {
      const expected = low[0] === other[0] && compareVersions(other.join('.'), low.join('.')) >= 0
      fc.pre(low[0] > 0)
      expect(versionRange(`^${low.join('.')}`)(other.join('.'))).toBe(expected)
    }),
  )
})

test.each(['', 'latest', '1.2.3.4', '^', '>=', '1.2.3 - 2.0.0', '||', '1..2'])('the range %j is refused', (range) => {
  expect(() => versionRange(range)).toThrow(expect.objectContaining({ number: 'E0505' }))
})

test.each(['1.2', '1', 'v1.2.3', '1.2.3.4', 'a.b.c', '1.2.3-', ''])('%j is no version', (text) => {
  expect(isVersion(text)).toBe(false)
})
