import { expect, test } from 'vitest'
import { POINTS, runInvocations } from './invocations/run.ts'

const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test('400 keys with duplicates, two processes, kill -9 twice at each of eight points: every effect exactly once', async () => {
  const log = (line: string) => process.stderr.write(`invocations, seed ${SEED}: ${line}\n`)
  const result = await runInvocations({ seed: SEED, invocations: 400, killsPerPoint: 2, log })
  expect(result.wrong).toEqual([])
  expect(result.kills).toEqual(Object.fromEntries(POINTS.map((point) => [point, 2])))
  expect(result.effects).toBeGreaterThanOrEqual(400 - result.unknown)
}, 600_000)
