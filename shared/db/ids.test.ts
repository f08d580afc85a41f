import { expect, test } from 'vitest'
import { newId } from './ids.ts'

test('an id is its prefix and 26 lower-case characters', () => {
  expect(newId('gol')).toMatch(/^gol_[0-9a-hjkmnp-tv-z]{26}$/)
})

test('ids of one process rise strictly, also within a millisecond', () => {
  const ids = Array.from({ length: 20_000 }, () => newId('t'))
  expect(new Set(ids).size).toBe(ids.length)
  expect([...ids].sort()).toEqual(ids)
})
