import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { assertOutsideTransaction, insideTransaction, runInside } from './guard.ts'

test('inside a transaction is seen across awaits and timers, outside is not', async () => {
  expect(insideTransaction()).toBe(false)
  await runInside(async () => {
    await sleep(1)
    expect(insideTransaction()).toBe(true)
    await Promise.all([1, 2].map(async () => expect(insideTransaction()).toBe(true)))
  })
  expect(insideTransaction()).toBe(false)
})

test('using something else there is E0016', async () => {
  const attempt = runInside(async () => assertOutsideTransaction('ctx.call'))
  await expect(attempt).rejects.toMatchObject({ number: 'E0016', message: 'ctx.call was used inside a transaction.' })
  assertOutsideTransaction('ctx.call')
})

test('work left behind by a transaction is not held to it after its end', async () => {
  let seen: boolean | undefined
  let left: Promise<void> | undefined
  await runInside(async () => {
    left = sleep(5).then(() => {
      seen = insideTransaction()
    })
  })
  await left
  expect(seen).toBe(false)
})
