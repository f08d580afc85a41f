import { expect, test } from 'vitest'
import { FairQueue } from './fair-queue.ts'
import { Slots } from './slots.ts'

test('groups take turns, each in its own order', () => {
  const queue = new FairQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(item.charAt(0), item)
  expect(queue.remove('a', 'a2')).toBe(true)
  expect(queue.remove('a', 'a2')).toBe(false)
  const order = Array.from({ length: 6 }, () => queue.shift())
  expect(order).toEqual(['a1', 'b1', 'c1', 'a3', 'b2', undefined])
  expect(queue.size).toBe(0)
})

test('a nested run gets a slot although the outer runs hold all of theirs', async () => {
  const slots = new Slots({ perDepth: [1, 1], queueLength: 10 })
  await slots.take(0, 't')
  await expect(slots.take(1, 't')).resolves.toBeTypeOf('function')
  await expect(slots.take(2, 't')).rejects.toMatchObject({ number: 'E3019', code: 'LIMIT_EXCEEDED' })
})

test('a slot given back twice frees one slot', async () => {
  const slots = new Slots({ perDepth: [1], queueLength: 10 })
  const release = await slots.take(0, 't')
  const second = slots.take(0, 't')
  const third = slots.take(0, 't')
  release()
  release()
  await second
  expect(slots.queued).toBe(1)
  ;(await second)()
  await third
  expect(slots.active).toBe(1)
})

test('a full queue refuses, and an aborted wait leaves its place to the next', async () => {
  const slots = new Slots({ perDepth: [1], queueLength: 2 })
  const release = await slots.take(0, 't')
  const gone = new AbortController()
  const leaver = slots.take(0, 't', gone.signal)
  const stayer = slots.take(0, 't')
  await expect(slots.take(0, 't')).rejects.toMatchObject({ number: 'E3022', retry_after_ms: 1000 })
  gone.abort()
  await expect(leaver).rejects.toMatchObject({ number: 'E0011' })
  await expect(slots.take(0, 't', gone.signal)).rejects.toMatchObject({ number: 'E0011' })
  release()
  await expect(stayer).resolves.toBeTypeOf('function')
})

test('a wait ends after its limit with an error that says so, and its place goes to the next', async () => {
  const slots = new Slots({ perDepth: [1], queueLength: 2, waitMs: 20 })
  const release = await slots.take(0, 't')
  await expect(slots.take(0, 't')).rejects.toMatchObject({ number: 'E3025', retryable: true })
  expect(slots.queued).toBe(0)
  const next = slots.take(0, 't')
  release()
  await expect(next).resolves.toBeTypeOf('function')
})

test('closing refuses those who wait', async () => {
  const slots = new Slots({ perDepth: [1], queueLength: 2 })
  await slots.take(0, 't')
  const waiting = slots.take(0, 't')
  slots.close(new Error('closing'))
  await expect(waiting).rejects.toThrow('closing')
})
