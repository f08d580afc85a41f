import { setTimeout as sleep } from 'node:timers/promises'
import { checkProperty } from '@story-portal/shared/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Answers } from './answers.ts'

/** Runs a script's calls against the ledger: `take(i)` is call i, which is answered after `delay(i)`. */
async function answerAll(answers: Answers, calls: number, delay: (call: number) => number): Promise<number[]> {
  const order: number[] = []
  await Promise.all(
    Array.from({ length: calls }, async (_, call) => {
      const key = `run/${call}`
      await answers.turn(key)
      await sleep(delay(call))
      const mark = answers.mark()
      await mark.before
      order.push(call)
      mark.told()
      answers.replayed(key)
    }),
  )
  return order
}

test('answers of a first run come in the order in which they were marked', async () => {
  const answers = new Answers([])
  expect(await answerAll(answers, 4, (call) => [30, 0, 20, 10][call] ?? 0)).toEqual([1, 3, 2, 0])
  expect(answers.unasked).toBe(false)
})

test('a repeat gets what is recorded in its order, asked for in any, and only then makes calls anew', async () => {
  const all = Array.from({ length: 12 }, (_, i) => i)
  const scripts = fc.record({
    recorded: fc.uniqueArray(fc.nat({ max: 11 }), { minLength: 1 }),
    asked: fc.shuffledSubarray(all, { minLength: 12 }),
  })
  await checkProperty(
    'answers are replayed in their order',
    scripts,
    async ({ recorded, asked }) => {
      const answers = new Answers(recorded.map((call, i) => ({ key: `run/${call}`, order: i * 2 })).toReversed())
      const seen: number[] = []
      const live: number[] = []
      await Promise.all(
        asked.map(async (call) => {
          const key = `run/${call}`
          await answers.turn(key)
          if (!recorded.includes(call)) expect(seen).toEqual(recorded)
          ;(recorded.includes(call) ? seen : live).push(call)
          await Promise.resolve()
          answers.replayed(key)
        }),
      )
      expect(seen).toEqual(recorded)
      expect(live).toHaveLength(12 - recorded.length)
      expect(answers.unasked).toBe(false)
      expect(answers.mark().order).toBe((recorded.length - 1) * 2 + 1)
    },
    { runs: 200 },
  )
})

test('what is recorded and not asked for is seen at the end; what was not waited for was asked for', () => {
  const answers = new Answers([
    { key: 'run/0', order: 1 },
    { key: 'run/1', order: 0 },
  ])
  expect(answers.unasked).toBe(true)
  void answers.turn('run/0')
  expect(answers.unasked).toBe(true)
  void answers.turn('run/1')
  expect(answers.unasked).toBe(false)
})
