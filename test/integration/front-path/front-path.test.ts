import { checkProperty, type Served } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FRONT_CHECKS } from '../../../shared/mcp/front-plan.ts'
import { CASES } from './cases.ts'
import { damaged } from './damage.ts'
import type { Answer, Case } from './exchange.ts'
import { starts } from './request-reader.ts'
import { ask, counted, type Pair, servePair } from './servers.ts'

let pair: Pair
/** What the SDK answers to each case. */
const expected = new Map<Case, Seen>()

interface Seen {
  answer: Answer | string
  /** How often a tool started for it. */
  started: number
}

beforeAll(async () => {
  pair = await servePair()
  for (const sent of CASES) expected.set(sent, await see(pair.sdk, sent))
})
afterAll(() => pair.close())

async function see(served: Served, sent: Case): Promise<Seen> {
  const before = starts.get(served.host) ?? 0
  const answer = await ask(served, sent)
  return { answer, started: (starts.get(served.host) ?? 0) - before }
}

test('every case: the same status, headers, body and number of tool starts as from the SDK', async () => {
  for (const sent of CASES) {
    const seen = await see(pair.front, sent)
    expect.soft(seen, sent.name).toEqual(expected.get(sent))
    expect.soft(seen.started, sent.name).toBeLessThanOrEqual(Array.isArray(parsed(sent)) ? 2 : 1)
  }
  const counts = await counted(pair.front)
  process.stderr.write(`front path: ${CASES.length} cases, ${JSON.stringify(counts)}\n`)
  // Each check is the reason of some case, so that none is there for nothing; and the fast path was really taken.
  expect(Object.keys(counts)).toEqual(expect.arrayContaining(FRONT_CHECKS.map(({ reason }) => reason)))
  expect(counts['fast']).toBeGreaterThan(300)
  expect(Object.keys(await counted(pair.sdk))).toEqual(['off'])
})

function parsed({ body }: Case): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

test.each(FRONT_CHECKS.map((check) => check.reason))('without the check "%s" a case differs', async (reason) => {
  const index = FRONT_CHECKS.findIndex((check) => check.reason === reason)
  const [check] = FRONT_CHECKS.splice(index, 1)
  try {
    expect(await firstDifference()).toBeDefined()
  } finally {
    if (check) FRONT_CHECKS.splice(index, 0, check)
  }
})

/** The first case that is answered otherwise than by the SDK. */
async function firstDifference(): Promise<string | undefined> {
  for (let from = 0; from < CASES.length; from += 16) {
    const some = CASES.slice(from, from + 16)
    const answers = await Promise.all(some.map((sent) => ask(pair.front, sent)))
    const index = answers.findIndex(
      (answer, i) => JSON.stringify(answer) !== JSON.stringify(expected.get(some[i] as Case)?.answer),
    )
    if (index >= 0) return some[index]?.name
  }
  return undefined
}

test('requests damaged at random are answered the same both ways', async () => {
  const before = (await counted(pair.front))['fast'] ?? 0
  const same = async (sent: Case) => {
    const [front, sdk] = await Promise.all([ask(pair.front, sent), ask(pair.sdk, sent)])
    expect(front).toEqual(sdk)
  }
  await checkProperty('front path and SDK answer alike', damaged, same, { runs: 1500 })
  const fast = ((await counted(pair.front))['fast'] ?? 0) - before
  process.stderr.write(`front path: ${fast} of them answered by it\n`)
  expect(fast).toBeGreaterThan(0)
})
