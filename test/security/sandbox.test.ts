import { hostname } from 'node:os'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createSandbox,
  type HostCall,
  type RunResult,
  type Sandbox,
} from '../../servers/tool-execution/sandbox/sandbox.ts'
import { type HostileProgram, hostilePrograms } from './hostile-programs.ts'

const CANARY = 'canary-7f3a9c51'
const WORKERS = 4

/** What no run may ever show: this process, its machine, its files, its environment. */
const hostTexts = [CANARY, process.version, process.cwd(), process.execPath, `${hostname()}.`]
/** And what no program alone may say. */
const secrets = [...hostTexts, 'ESCAPED', 'PLANTED']
/** Code that changes built-in objects: what a second program then finds is its own deed, and proves nothing. */
const tampering =
  /\bprototype\b|\bP\[k\] =|JSON\.\w+ =|Array\.from =|defineProperty|prepareStackTrace|stackTraceLimit|globalThis\.\w+ =/

const seen = new Set<number>()
let sandbox: Sandbox

beforeAll(() => {
  process.env['STORY_PORTAL_TEST_CANARY'] = CANARY
  sandbox = createSandbox({
    workers: WORKERS,
    limits: { wall_ms: 400, cpu_ms: 20_000, heap_mb: 32, rss_mb: 300 },
    queueLength: 2_000,
    log: { warn: () => {}, debug: () => {} },
  })
})

afterAll(async () => {
  for (const pid of sandbox.stats().pids) seen.add(pid)
  await sandbox.close()
  const left = [...seen].filter(alive)
  delete process.env['STORY_PORTAL_TEST_CANARY']
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
  expect(hostilePrograms.length).toBeGreaterThan(100)
})

test('programs made of pieces of these programs stay inside too', async () => {
  const pieces = hostilePrograms
    .filter((program) => program.ends.includes('result') || program.ends.includes('E3001'))
    .map((program) => program.code)
  const wrap = fc.constantFrom(
    (code: string) => code,
    (code: string) => `try { ${code}\n } catch (e) { throw e }`,
    (code: string) => `return await (async () => { ${code}\n })()`,
    (code: string) => `return await eval(${JSON.stringify(`(async () => { ${code}\n })()`)})`,
    (code: string) =>
      `return await new (async () => {}).constructor('input', 'tools', ${JSON.stringify(code)})(input, tools)`,
    (code: string) =>
      `const first = await (async () => { ${code}\n })().catch((e) => e); console.log(first); return first`,
    (code: string) => `Object.prototype.then = undefined; ${code}`,
    (code: string) => `Error.prepareStackTrace = (e, s) => s; ${code}`,
  )
  const program = fc.tuple(
    fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 2 }),
    wrap,
    wrap,
    fc.boolean(),
  )
  await fc.assert(
    fc.asyncProperty(program, async ([parts, inner, outer, calls]) => {
      const [first = '', second] = parts
      const joined = second === undefined ? first : `await (async () => { ${first}\n })().catch(() => {}); ${second}`
      const run = await attack({ code: outer(inner(joined)), calls, limits: { wall_ms: 300 } })
      const text = textOf(run)
      expect(hostTexts.slice(1).filter((secret) => text.includes(secret))).toEqual([])
      if (second === undefined || !tampering.test(first))
        expect(run.ok ? JSON.stringify(run.result) : '').not.toContain('ESCAPED')
    }),
    { numRuns: 300 },
  )
  await neighbour()
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
