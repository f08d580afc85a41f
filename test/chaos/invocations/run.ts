import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../random.ts'
import { startReceiver } from '../receiver.ts'
import { callAll, type Ended, openInvocations, registerTools } from './load.ts'
import { killAt, startWorkers, type Workers } from './workers.ts'

/** Where a worker process kills itself (kill-points.js), and, last, where its sandbox process is killed under it. */
export const POINTS = [
  'intent-before-commit',
  'intent-after-commit',
  'request-before-send',
  'request-in-flight',
  'request-answered',
  'record-before-commit',
  'record-after-commit',
  'sandbox-mid-run',
] as const

export interface InvocationsOptions {
  seed: number
  invocations: number
  killsPerPoint: number
  log: (line: string) => void
}

export interface InvocationsResult {
  seed: number
  seconds: number
  keys: number
  calls: number
  /** Arrivals at the receiver. */
  effects: number
  kills: Record<string, number>
  /** Calls of the tool that can not be asked whose outcome nobody knows. */
  unknown: number
  undone: number
  wrong: string[]
}

/** Two worker processes, duplicated calls of tools with an effect outside, kills at every point; then every key is counted at the receiver. */
export async function runInvocations(options: InvocationsOptions): Promise<InvocationsResult> {
  const { seed, invocations, log } = options
  const began = Date.now()
  const random = new Random(seed)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'story-portal-receiver-'))
  const receiver = await startReceiver(path.join(folder, 'arrivals'))
  const workers = await startWorkers(2, {
    ...{ STORY_PORTAL_LEASE_MS: '2000', STORY_PORTAL_RECONCILE_MS: '500' },
    STORY_PORTAL_FETCH_PRIVATE_HOSTS: new URL(receiver.url).host,
  })
  try {
    const [worker] = workers.all
    if (!worker) throw new Error('no worker')
    await registerTools(worker, receiver.url)
    const [killed, over] = [new AbortController(), new AbortController()]
    const killing = killAll(workers, options, random, over.signal).finally(() => killed.abort())
    killing.catch(() => {})
    // Work goes on until every kill has been tried: on a fast machine the keys asked for are called before that.
    const ended: Ended[] = await callAll(workers, invocations, random, killed.signal).finally(() => over.abort())
    const kills = await killing
    log(`all called; kills ${JSON.stringify(kills)}`)
    await sleep(500)
    const wrong = [...workers.strange(), ...(await openInvocations(worker)), ...check(ended, receiver.arrivals())]
    for (const point of POINTS)
      if ((kills[point] ?? 0) < options.killsPerPoint) wrong.push(`only ${kills[point] ?? 0} kills at ${point}`)
    const blind = ended.filter(({ status, tool }) => tool === 'send_blind' && status !== 'succeeded')
    return {
      seed,
      seconds: Math.round((Date.now() - began) / 1000),
      keys: ended.length,
      calls: ended.reduce((sum, { callers }) => sum + callers, 0),
      effects: receiver.arrivals().length,
      kills,
      unknown: blind.length,
      undone: ended.filter(({ undone }) => undone).length,
      wrong,
    }
  } finally {
    await workers.stop()
    await receiver.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function killAll(
  workers: Workers,
  { killsPerPoint, log }: InvocationsOptions,
  random: Random,
  over: AbortSignal,
) {
  const kills: Record<string, number> = {}
  for (let round = 0; round < killsPerPoint; round++) {
    for (const point of POINTS) {
      if (over.aborted) return kills
      await workers.ready()
      await sleep(random.between(50, 300))
      const killed =
        point === 'sandbox-mid-run' ? await killSandbox(workers, random) : await killAt(workers, point, over)
      if (killed) kills[point] = (kills[point] ?? 0) + 1
    }
    log(`round ${round + 1} of ${killsPerPoint}: ${workers.deaths()} deaths`)
  }
  return kills
}

async function killSandbox(workers: Workers, random: Random): Promise<boolean> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
    const pids = random.pick(workers.all).sandboxPids()
    if (pids.length === 0) continue
    try {
      process.kill(random.pick(pids), 'SIGKILL')
      return true
    } catch {
      // Ended by itself meanwhile.
    }
  }
  return false
}

function check(ended: readonly Ended[], arrivals: readonly { label: string; outcome: string }[]): string[] {
  const arrived = new Map<string, number>()
  for (const { label, outcome } of arrivals) if (outcome === 'effect') arrived.set(label, (arrived.get(label) ?? 0) + 1)
  return ended.flatMap((one) => [
    ...told(one).map((what) => `${one.key} (${one.tool}) ${what}`),
    ...happened(one, arrived).map((what) => `${one.key} (${one.tool}) ${what}`),
  ])
}

function told({ tool, status, answers: [first = '', ...others] }: Ended): string[] {
  const wrong = others.filter((other) => other !== first).map((other) => `was told ${first} and ${other}`)
  if (status === 'succeeded') return wrong
  // Only what can not be asked about may stay unknown.
  return tool === 'send_blind' && first.includes('E0502') ? wrong : [...wrong, `ended as ${first}`]
}

function happened({ key, status, undone }: Ended, arrived: ReadonlyMap<string, number>): string[] {
  const wrong: string[] = []
  const times = arrived.get(key) ?? 0
  if (times > 1 || (status === 'succeeded' && times !== 1)) wrong.push(`is ${status} and arrived ${times} times`)
  const undos = arrived.get(`undo ${key}`) ?? 0
  return undos === (undone ? 1 : 0) ? wrong : [...wrong, `was undone ${undos} times`]
}
