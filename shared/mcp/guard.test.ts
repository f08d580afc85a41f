import { expect, test } from 'vitest'
import { StoryPortalError } from '../errors/index.ts'
import { guardArguments } from './guard.ts'

const LIMITS = { maxBytes: 1_000, maxDepth: 8 }

function refusal(value: unknown, limits = LIMITS) {
  try {
    guardArguments(value, limits)
  } catch (error) {
    if (error instanceof StoryPortalError) return { number: error.number, path: error.details?.faults?.[0]?.path }
    throw error
  }
  return undefined
}

function nested(depth: number): unknown {
  let value: unknown = 'core'
  for (let i = 0; i < depth; i += 1) value = { inner: value }
  return value
}

test('plain JSON passes, also with the same object in two places', () => {
  const shared = { a: [1, 'two', null, true] }
  expect(refusal({ left: shared, right: shared, gone: undefined })).toBeUndefined()
})

test('a cycle is named by the path that closes it', () => {
  const root: Record<string, unknown> = { list: [{}] }
  ;(root['list'] as Record<string, unknown>[])[0] = { back: root }
  expect(refusal(root)).toEqual({ number: 'E0903', path: 'list[0].back' })
})

test('depth is counted, and a depth of 100,000 is refused without exhausting the stack', () => {
  expect(refusal(nested(8))).toBeUndefined()
  expect(refusal(nested(9))?.number).toBe('E0902')
  expect(refusal(nested(100_000))?.number).toBe('E0902')
  expect(refusal(nested(100_000), { maxBytes: 1e9, maxDepth: 1e9 })).toBeUndefined()
})

test('size counts text, keys and many small values', () => {
  expect(refusal({ text: 'x'.repeat(1_001) })).toEqual({ number: 'E0901', path: 'text' })
  expect(refusal(Array.from({ length: 500 }, () => 1))?.number).toBe('E0901')
  expect(refusal(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key_${i}`, true])))?.number).toBe('E0901')
})

test.each([
  ['lone surrogate', { name: 'a\ud800b' }, 'name'],
  ['lone surrogate in a key', { 'a\udc00': 1 }, 'a\udc00'],
  ['NUL', { list: ['ok', 'a\0b'] }, 'list[1]'],
  ['NaN', { n: Number.NaN }, 'n'],
  ['bigint', { n: 1n }, 'n'],
  ['function', { f: () => 1 }, 'f'],
  ['date', { at: new Date(0) }, 'at'],
  ['map', { map: new Map() }, 'map'],
  ['__proto__', JSON.parse('{"a":{"__proto__":{"admin":true}}}'), 'a.__proto__'],
])('%s is no plain JSON', (_name, value, path) => {
  expect(refusal(value)).toEqual({ number: 'E0904', path })
})
