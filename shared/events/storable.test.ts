import { expect, test } from 'vitest'
import { storableJson } from './storable.ts'

test('text that PostgreSQL refuses is named by its path', () => {
  for (const [value, path] of [
    [{ a: { b: ['ok', 'x\0'] } }, 'data.a.b[1]'],
    [{ a: '\ud800' }, 'data.a'],
    [{ list: [{ 'k\0': 1 }] }, 'data.list[0]'],
    ['\udfff', 'data'],
  ] as const) {
    expect(() => storableJson(value)).toThrow(
      expect.objectContaining({
        number: 'E0302',
        code: 'INVALID_INPUT',
        details: { faults: [expect.objectContaining({ path })] },
      }),
    )
  }
})

test('text that only looks like it is kept', () => {
  const value = { a: '\\u0000 and \\ud800', b: '😀', c: null }
  expect(JSON.parse(storableJson(value))).toEqual(value)
  expect(storableJson(undefined)).toBe('null')
})
