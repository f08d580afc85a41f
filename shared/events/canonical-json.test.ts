import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../testing/property.ts'
import { canonicalJson, hashJson, sha256 } from './canonical-json.ts'

test('the example of RFC 8785', () => {
  const value = {
    numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  }
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('members are sorted by UTF-16 code units, not by code points', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
  const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])))) as object)
  expect(sorted).toEqual(['1', '\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'])
})

test('any JSON keeps its value, and the order of members does not matter', async () => {
  await checkProperty(
    'canonical JSON',
    fc.jsonValue({ stringUnit: 'binary' }),
    (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown
      expect(JSON.parse(canonicalJson(plain))).toEqual(plain)
      expect(hashJson(reversed(plain))).toBe(hashJson(plain))
    },
    { runs: 500 },
  )
})

test('what is not JSON is refused with its path', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  for (const [value, path] of [
    [{ a: [1, Number.NaN] }, '$.a[1]'],
    [{ a: 1n }, '$.a'],
    [{ a: () => 1 }, '$.a'],
    [{ a: 'x\ud800' }, '$.a'],
    [{ a: new Map() }, '$.a'],
  ] as const) {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ number: 'E0301', code: 'INVALID_INPUT' }))
    expect(() => canonicalJson(value)).toThrow(path)
  }
  expect(() => canonicalJson(cycle)).toThrow(expect.objectContaining({ number: 'E0301' }))
})

test('undefined members are left out, dates are their ISO text, SHA-256 is the known one', () => {
  expect(canonicalJson({ b: undefined, a: new Date(0) })).toBe('{"a":"1970-01-01T00:00:00.000Z"}')
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}
