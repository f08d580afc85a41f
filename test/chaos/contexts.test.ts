import { expect, test } from 'vitest'
import { runContexts } from './contexts/run.ts'

const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test('four sessions save to shared tasks, the platform is killed twice: every acknowledged version is there, in order, none twice', async () => {
  const log = (line: string) => process.stderr.write(`contexts, seed ${SEED}: ${line}\n`)
  const result = await runContexts({ seed: SEED, sessions: 4, saves: 20, kills: 2, log })
  expect(result).toMatchObject({ acknowledged: 80, kills: 2, wrong: [] })
}, 300_000)
