import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createSandbox,
  type HostCall,
  type RunResult,
  type Sandbox,
} from '../../servers/tool-execution/sandbox/sandbox.ts'
import { type HostileProgram, hostilePrograms } from './hostile-programs.ts'
import { type Mutant, mutants } from './mutants.ts'

const CANARY = 'canary-7f3a9c51'
const WORKERS = 4

/** What no run may ever show: this process, its machine, its files, its environment. */
const hostTexts = [CANARY, process.version, process.cwd(), process.execPath, `${hostname()}.`]
/** And what no program alone may say. */
const secrets = [...hostTexts, 'ESCAPED', 'PLANTED']
const FILE_CANARY = `file-${randomUUID()}`
const RSS_MB = 300
const folder = mkdtempSync(path.join(tmpdir(), 'hostile-'))

const seen = new Set<number>()
let sandbox: Sandbox

beforeAll(() => {
  process.env['STORY_PORTAL_TEST_CANARY'] = CANARY
  sandbox = createSandbox({
    workers: WORKERS,
    limits: { wall_ms: 400, cpu_ms: 20_000, heap_mb: 32, rss_mb: RSS_MB },
    queueLength: 2_000,
    log: { warn: () => {}, debug: () => {} },
  })
})

afterAll(async () => {
  for (const pid of sandbox.stats().pids) seen.add(pid)
  await sandbox.close()
  const left = [...seen].filter(alive)
  delete process.env['STORY_PORTAL_TEST_CANARY']
  rmSync(folder, { recursive: true })
  expect(left).toEqual([])
})

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function answer(call: HostCall): Promise<unknown> {
  if (call.name === 'never.ends') await new Promise((resolve) => call.signal.addEventListener('abort', resolve))
  return call.args
}

/** Short where only the clock can end it; where something else should, long enough for a busy machine. */
function patience({ ends }: Partial<HostileProgram>): number {
  if (ends?.[0] === 'E3010') return 400
  return ends?.includes('E3010') ? 3_000 : 20_000
}

async function attack(program: Omit<HostileProgram, 'name' | 'ends'> & Partial<HostileProgram>): Promise<RunResult> {
  for (const pid of sandbox.stats().pids) seen.add(pid)
  return await sandbox.run({
    code: program.code,
    input: { a: 1 },
    limits: { wall_ms: patience(program), ...program.limits },
    ...(program.calls ? { onCall: answer } : {}),
    ...(program.language ? { language: program.language } : {}),
  })
}

/** A run of somebody else, at the same time. */
async function neighbour(): Promise<void> {
  const n = Math.round(Math.random() * 1e6)
  const run = await sandbox.run({
    code: 'const r = await tools.a.b({ n: input.n * 2 }); return r.n',
    input: { n },
    group: 'neighbour',
    limits: { wall_ms: 30_000 },
    onCall: answer,
  })
  expect(run).toMatchObject({ ok: true, result: n * 2 })
}

function textOf(run: RunResult): string {
  if (run.ok) return JSON.stringify([run.result, run.logs])
  const { message, details } = run.error
  return JSON.stringify([message, details ?? {}, run.logs])
}

function expectNothingLeaked(run: RunResult, code: string): void {
  const text = textOf(run)
  // What the code says itself is no leak.
  const found = secrets.filter(
    (secret) => text.includes(secret) && !(hostTexts.includes(secret) && code.includes(secret)),
  )
  expect({ found, text: found.length > 0 ? text.slice(0, 500) : '' }).toEqual({ found: [], text: '' })
}

describe.each([...new Set(hostilePrograms.map((program) => program.class))])('%s', (group) => {
  test.concurrent.each(hostilePrograms.filter((program) => program.class === group))('$name', async (program) => {
    const [run] = await Promise.all([attack(program), neighbour()])
    const ended = run.ok ? 'result' : run.error.number
    expect(program.ends, textOf(run).slice(0, 300)).toContain(ended)
    expectNothingLeaked(run, program.code)
    await neighbour()
  })
})

test('the corpus is as large as promised', () => {
  expect(hostilePrograms.length).toBeGreaterThanOrEqual(150)
})

test('500 programs made of these, changed and joined: each ends by a limit of its own, none gets out, and a neighbour is served', async () => {
  const seed = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const file = path.join(folder, 'secret')
  writeFileSync(file, FILE_CANARY)
  const all = mutants(seed, 500, file)
  process.stderr.write(`500 mutants, PROPERTY_SEED=${seed}\n`)
  const sent: string[] = []
  const hear = async (call: HostCall) => {
    sent.push(JSON.stringify(call.args))
    return answer(call)
  }
  const ended = new Map<string, number>()
  const one = async ({ code, language, ends }: Mutant) => {
    for (const pid of sandbox.stats().pids) seen.add(pid)
    const limits = { wall_ms: 250 }
    const [run] = await Promise.all([
      sandbox.run({ code, language, input: { a: 1 }, limits, onCall: hear }),
      neighbour(),
    ])
    const end = run.ok ? 'result' : run.error.number
    ended.set(end, (ended.get(end) ?? 0) + 1)
    expect(ends, `${code}\n${textOf(run).slice(0, 300)}`).toContain(end)
    const text = textOf(run) + sent.splice(0).join()
    expect(
      evidence(code).filter((fact) => text.includes(fact)),
      code,
    ).toEqual([])
  }
  const queue = [...all]
  const work = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) await one(next)
  }
  await Promise.all(Array.from({ length: WORKERS }, work))
  process.stderr.write(`they ended so: ${JSON.stringify(Object.fromEntries(ended))}\n`)
  expect([...ended.values()].reduce((sum, n) => sum + n, 0)).toBe(500)
}, 300_000)

/** What only a program that got out can know: nothing here stands in a program or can be made up inside, whatever it changes. */
function evidence(code: string): string[] {
  const pids = sandbox.stats().pids.map((pid) => `${process.version},${pid}`)
  return [...hostTexts, FILE_CANARY, ...pids].filter((fact) => !code.includes(fact))
}

test('the witness of the mutants finds what there is to find, in a place that is not a sandbox', async () => {
  const file = path.join(folder, 'secret')
  writeFileSync(file, FILE_CANARY)
  const watched = mutants(1, 200, file).find(
    ({ code, language }) => language === 'javascript' && code.includes('const ask ='),
  )
  const witness = watched?.code.slice(watched.code.indexOf('const told = []')) ?? ''
  const logged: string[] = []
  const AsyncFunction = (async () => {}).constructor as new (
    ...names: string[]
  ) => (...args: unknown[]) => Promise<void>
  const anything = { a: { b: () => 1 } }
  const inside = new AsyncFunction('input', 'tools', 'console', 'http', 'storage', 'secrets', witness)
  await inside({}, anything, { log: (line: string) => logged.push(line) }, {}, {}, {})
  expect(logged.join()).toContain(process.version)
})

test.runIf(process.platform === 'linux')(
  'a process has at most 64 MB more than its cap, whatever it does',
  async () => {
    const greedy = hostilePrograms.filter(({ class: group }) => /memory|native/.test(group))
    let most = 0
    const look = setInterval(() => {
      for (const pid of sandbox.stats().pids) most = Math.max(most, peakMb(pid))
    }, 2)
    for (const program of greedy) await attack(program)
    clearInterval(look)
    process.stderr.write(
      `the largest sandbox process of ${greedy.length} greedy programs had ${Math.round(most)} MB of ${RSS_MB}\n`,
    )
    expect(most).toBeGreaterThan(RSS_MB / 2)
    expect(most).toBeLessThanOrEqual(RSS_MB + 64)
  },
  120_000,
)

/** The most it ever had resident, as the kernel counted. */
function peakMb(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

test('a full pool of scripts that each call a tool that is code ends', async () => {
  const nested = (call: HostCall): Promise<unknown> =>
    sandbox
      .run({ code: 'return input.n + 1', input: call.args, depth: 1, limits: { wall_ms: 30_000 } })
      .then((run) => (run.ok ? run.result : Promise.reject(run.error)))
  const script = (n: number) =>
    sandbox.run({
      code: 'const all = await Promise.all([1, 2, 3].map((i) => tools.a.b({ n: input.n + i }))); return all',
      input: { n },
      limits: { wall_ms: 30_000 },
      onCall: nested,
    })
  const runs = await Promise.all(Array.from({ length: WORKERS * 4 }, (_, n) => script(n)))
  expect(runs.map((run) => (run.ok ? run.result : run.error.number))).toEqual(runs.map((_, n) => [n + 2, n + 3, n + 4]))
})

test('ten hostile runs at once leave others alone, and this process responsive enough to serve them', async () => {
  const ten = [
    'while (true) {}',
    'const a = []; while (true) a.push(new Array(1e5).fill(1))',
    'while (true) console.log(1)',
  ]
  const runs = Array.from({ length: 10 }, (_, i) => attack({ code: ten[i % 3] ?? '', limits: { wall_ms: 1_000 } }))
  await Promise.all(Array.from({ length: 10 }, neighbour))
  expect((await Promise.all(runs)).every((run) => !run.ok)).toBe(true)
})
