import { readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../../../tools/cli/processes.ts'
import { type AnyClient, callOver, httpClient, manifests, type UnderTest, underTest } from '../../e2e/under-test.ts'
import { Random } from '../random.ts'

const SERVER = 'context-orchestrator'
const TASKS = 3
const GIVE_UP_MS = 180_000

export interface ContextsOptions {
  seed: number
  sessions: number
  /** Of each session. */
  saves: number
  kills: number
  log: (line: string) => void
}

export interface ContextsResult {
  seed: number
  seconds: number
  /** Saves that were acknowledged, each with its version. */
  acknowledged: number
  versions: number
  kills: number
  wrong: string[]
}

interface Ack {
  task: number
  version: number
  step: string
}

/** Sessions that save to shared tasks at the same time while the platform is killed; then every acknowledged version is looked at. */
export async function runContexts({ seed, sessions, saves, kills, log }: ContextsOptions): Promise<ContextsResult> {
  const began = Date.now()
  const random = new Random(seed)
  const it = await underTest()
  try {
    const up = await it.cli('up', '--json')
    if (up.code !== 0) throw new Error(`up: ${up.stdout} ${up.stderr}`)
    const tasks = await Promise.all(
      Array.from({ length: TASKS }, async (_, i) => {
        const made = await call(it, 'create_task_context', {
          project: 'shared',
          title: `task ${i}`,
          idempotency_key: `task-${i}`,
        })
        return String(made['task_id'])
      }),
    )
    const acks: Ack[] = []
    const over = new AbortController()
    const killing = killNow(it, { total: sessions * saves, kills, log, done: () => acks.length, over: over.signal })
    const session = async (s: number) => {
      for (let n = 0; n < saves; n++) {
        const task = random.between(0, TASKS - 1)
        const step = `s${s}-${n}`
        const saved = await call(it, 'save_context_snapshot', {
          ...{ task_id: tasks[task], updates: { done_steps: [step] }, idempotency_key: step },
        })
        acks.push({ task, version: Number(saved['version']), step })
      }
    }
    await Promise.all(Array.from({ length: sessions }, (_, s) => session(s))).finally(() => over.abort())
    const killed = await killing
    log(`${acks.length} saves acknowledged, ${killed} kills`)
    const wrong = killed < kills ? [`only ${killed} kills`] : []
    let versions = 0
    for (const [task, id] of tasks.entries()) {
      const found = await stepsByVersion(it, id)
      versions += found.length
      wrong.push(
        ...check(
          found,
          acks.filter((ack) => ack.task === task),
        ),
      )
    }
    const seconds = Math.round((Date.now() - began) / 1000)
    return { seed, seconds, acknowledged: acks.length, versions, kills: killed, wrong }
  } finally {
    await it.dispose()
  }
}

/** Of each version from 1 the steps that it holds. */
async function stepsByVersion(it: UnderTest, task_id: string): Promise<string[][]> {
  const read = async (version?: number) => {
    const args = { task_id, max_tokens: 100_000, ...(version === undefined ? {} : { version }) }
    const { task } = (await call(it, 'get_unified_context', args)) as {
      task: { version: number; checkpoint: { done_steps?: string[] } }
    }
    return { version: task.version, steps: task.checkpoint.done_steps ?? [] }
  }
  const { version: head } = await read()
  const all: string[][] = []
  for (let version = 1; version <= head; version++) all.push((await read(version)).steps)
  return all
}

/** Version 1 is the empty one that the task began with; each later one has one step more, that of the save that got its number. */
function check(found: readonly string[][], acks: readonly Ack[]): string[] {
  const wrong = acks
    .filter(({ version, step }) => found[version - 1]?.at(-1) !== step)
    .map(
      ({ version, step }) =>
        `${step} was acknowledged as version ${version}, which ends with ${found[version - 1]?.at(-1)}`,
    )
  for (const [i, steps] of found.entries()) {
    const before = found[i - 1] ?? []
    if (i > 0 && JSON.stringify(steps.slice(0, -1)) !== JSON.stringify(before))
      wrong.push(`version ${i + 1} is not version ${i} and one step more`)
  }
  if (found.length !== acks.length + 1) wrong.push(`${found.length} versions after ${acks.length} saves`)
  return wrong
}

interface Killing {
  total: number
  kills: number
  done: () => number
  log: (line: string) => void
  over: AbortSignal
}

/** kill -9 of every process of the platform, spread over the work. */
async function killNow(it: UnderTest, { total, kills, done, log, over }: Killing): Promise<number> {
  for (let kill = 1; kill <= kills; kill++) {
    while (done() < Math.floor((total * kill) / (kills + 1))) {
      if (over.aborted) return kill - 1
      await sleep(5)
    }
    for (const pid of serverPids(it.home)) process.kill(pid, 'SIGKILL')
    log(`kill ${kill} of ${kills} after ${done()} saves`)
  }
  return kills
}

function serverPids(home: string): number[] {
  return readdirSync(path.join(home, 'run', 'processes'))
    .map((name) => Number(/-(\d+)\.json$/.exec(name)?.[1] ?? 0))
    .filter((pid) => pid > 0 && isAlive(pid))
}

let shared: Promise<AnyClient> | undefined

/** The same call under the same key until there is an answer. */
async function call(it: UnderTest, tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  for (const deadline = Date.now() + GIVE_UP_MS; ; ) {
    shared ??= httpClient(it, manifests().find(({ name }) => name === SERVER)?.port ?? 0, 'v2')
    const mine = shared
    try {
      return await callOver({ [SERVER]: await mine })(SERVER, tool, args)
    } catch (error) {
      if (/"code":"(?!UNAVAILABLE)[A-Z_]+"/.test(String(error))) throw error
      if (Date.now() > deadline) throw error
      if (shared === mine) shared = undefined
      await sleep(50)
    }
  }
}
