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

test('the first ten characters are the milliseconds, in digits of 32', () => {
  const before = Date.now()
  const digits = newId('t').slice(2, 12)
  const time = [...digits].reduce((sum, digit) => sum * 32 + '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(digit), 0)
  // The ids before may have run ahead of the clock by what they carried over, which here is nothing.
  expect(time).toBeGreaterThanOrEqual(before)
  expect(time).toBeLessThanOrEqual(Date.now())
})
