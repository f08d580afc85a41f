import { expect, test } from 'vitest'
import { parseArray, typeParsers } from './values.ts'

const parse = (oid: number, text: string) => typeParsers({ vector: 70_000 }).getTypeParser(oid)(text)

test('whole numbers that fit are numbers, those that may not are text', () => {
  expect(parse(23, '-2147483648')).toBe(-2147483648)
  expect(parse(20, '9007199254740993')).toBe('9007199254740993')
  expect(parse(1700, '0.10')).toBe('0.10')
  expect(parse(701, '1.5e-7')).toBe(1.5e-7)
})

test('times are ISO text in UTC with exactly three digits', () => {
  expect(parse(1184, '2026-11-23 04:31:31.123456+00')).toBe('2026-11-23T04:31:31.123Z')
  expect(parse(1184, '2026-11-23 04:31:31+00')).toBe('2026-11-23T04:31:31.000Z')
  expect(parse(1114, '2026-11-23 04:31:31.5')).toBe('2026-11-23T04:31:31.500')
  expect(parse(1082, '2026-11-23')).toBe('2026-11-23')
})

test('a time JavaScript has no text for stays as PostgreSQL writes it', () => {
  expect(parse(1184, 'infinity')).toBe('infinity')
  expect(parse(1184, '0044-03-15 00:00:00+00 BC')).toBe('0044-03-15 00:00:00+00 BC')
})

test('json, bytes, booleans and vectors', () => {
  expect(parse(3802, '{"a": [1, null]}')).toEqual({ a: [1, null] })
  expect(parse(17, '\\x00ff10')).toEqual(new Uint8Array([0, 255, 16]))
  expect(parse(16, 't')).toBe(true)
  expect(parse(16, 'f')).toBe(false)
  expect(parse(70_000, '[1,2.5,-3]')).toEqual([1, 2.5, -3])
})

test('a type nobody knows is text', () => {
  expect(parse(99_999, 'anything')).toBe('anything')
})

test('arrays: quotes, escapes, commas and NULL inside elements', () => {
  expect(parse(1009, '{a,"b,c","d\\"e\\\\f",NULL,"NULL",""}')).toEqual(['a', 'b,c', 'd"e\\f', null, 'NULL', ''])
  expect(parse(1007, '{{1,2},{3,NULL}}')).toEqual([
    [1, 2],
    [3, null],
  ])
  expect(parse(1009, '{}')).toEqual([])
  expect(parseArray('[0:1]={x,y}', String)).toEqual(['x', 'y'])
  expect(parse(3807, '{"{\\"a\\": 1}",null}')).toEqual([{ a: 1 }, null])
})
