import { setTimeout as sleep } from 'node:timers/promises'
import type { Mode, Options } from './options.ts'
import { kill, processesOf, serverProcesses } from './processes.ts'
import { Random } from './random.ts'
import { checks, faults, type NamedFault } from './registry.ts'
import { type Subject, startSubject } from './subject.ts'

/** How long a platform may take until it works again once nothing stands in its way. */
const HEALTHY_MS = 5_000
const GIVE_UP_MS = 120_000
const MAX_PER_CHECK = 10

export interface Struck {
  fault: string
  what: string
  /** From the moment the cause was gone until all servers were ready and a write was acknowledged. */
  healthy_ms: number
}

export interface ModeResult {
  mode: Mode
  seconds: number
  struck: Struck[]
  left_out: string[]
  plans: number
  tasks: number
  effects: number
  acknowledged: number
  events: number
  /** Slower than promised; reported, because a busy machine may be the reason. */
  slow: Struck[]
  /** What must not be. */
  wrong: string[]
}

/** One platform, harmed as the options say and looked at afterwards. Whatever was started has ended when it returns. */
export async function runMode(
  mode: Mode,
  options: Options,
  around: { disk: string | undefined; log(line: string): void; signal: AbortSignal },
): Promise<ModeResult> {
  const began = performance.now()
  around.log(`${mode}: starting, seed ${options.seed}`)
  const subject = await startSubject(mode, around.disk)
  try {
    const result = empty(mode)
    subject.load.start()
    await firstEffects(subject)
    await strikeAll(subject, options, { ...around, result })
    around.log(`${mode}: no more faults; waiting for what was begun`)
    await Promise.race([subject.load.finish(), aborted(around.signal)])
    if (around.signal.aborted) return { ...result, wrong: [...result.wrong, 'stopped before its end'] }
    await look(subject, result, around.log)
    result.wrong.push(...(await endAll(subject)))
    result.seconds = Math.round((performance.now() - began) / 1_000)
    return result
  } finally {
    await subject.dispose()
  }
}

function empty(mode: Mode): ModeResult {
  const counts = { seconds: 0, plans: 0, tasks: 0, effects: 0, acknowledged: 0, events: 0 }
  return { mode, ...counts, struck: [], left_out: [], slow: [], wrong: [] }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Harm before anything runs would show nothing. */
async function firstEffects({ receiver, load }: Subject): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS
  while (receiver.arrivals().length < 5) {
    if (performance.now() > deadline) throw new Error(`nothing happened: ${load.ledger.troubles.join('; ')}`)
    await sleep(100)
  }
}

interface Striking {
  log(line: string): void
  signal: AbortSignal
  result: ModeResult
}

async function strikeAll(subject: Subject, options: Options, striking: Striking): Promise<void> {
  const random = new Random(options.seed)
  const known = (await faults()).filter(({ name, modes }) => modes.includes(subject.mode) && asked(options, name))
  const possible = known.filter((fault) => {
    const why = fault.impossible?.(subject)
    if (why !== undefined) striking.result.left_out.push(`${fault.name}: ${why}`)
    return why === undefined
  })
  const of = (kind: NamedFault['kind']) => possible.filter((fault) => fault.kind === kind)
  const one = async (kind: NamedFault['kind']) => {
    const list = of(kind)
    if (list.length === 0 || striking.signal.aborted) return false
    await strike(subject, random.pick(list), random, striking)
    return true
  }
  for (let n = 0; n < options.kills && (await one('kill')); n++);
  const end = performance.now() + options.minutes * 60_000
  while (performance.now() < end && (await one('other')));
  for (let n = 0; n < options.supervisorKills && (await one('supervisor')); n++);
}

const asked = ({ faults: names }: Options, name: string) => names.length === 0 || names.includes(name)

async function strike(subject: Subject, fault: NamedFault, random: Random, striking: Striking): Promise<void> {
  const { log, result } = striking
  const before = subject.receiver.arrivals().length
  const servers = serverProcesses(subject)
  let what: string
  try {
    what = await fault.strike(subject, random)
  } catch (error) {
    what = `went wrong: ${String(error)}`
    result.wrong.push(`${fault.name} ${what}`)
  }
  const struck = { fault: fault.name, what, healthy_ms: await untilHealthy(subject) }
  if (fault.kind === 'other')
    result.wrong.push(...gone(subject, servers).map((name) => `${name} ended by itself in ${fault.name}`))
  result.struck.push(struck)
  if (struck.healthy_ms > HEALTHY_MS) result.slow.push(struck)
  if (struck.healthy_ms >= GIVE_UP_MS) result.wrong.push(`not healthy again after ${fault.name} (${what})`)
  const { healthy_ms } = struck
  const effects = subject.receiver.arrivals().length
  log(
    `${subject.mode}: ${result.struck.length} ${fault.name} (${what}), healthy after ${healthy_ms} ms, ${before} -> ${effects} effects`,
  )
  await sleep(random.between(300, 3_000), undefined, { signal: striking.signal }).catch(() => {})
}

/** Whatever breaks around it, a server stays up; only a kill ends it. */
function gone(subject: Subject, before: readonly { name: string; pid: number }[]): string[] {
  const now = new Set(serverProcesses(subject).map(({ pid }) => pid))
  return before.filter(({ pid }) => !now.has(pid)).map(({ name }) => name)
}

async function untilHealthy({ client }: Subject): Promise<number> {
  const began = performance.now()
  const elapsed = () => Math.round(performance.now() - began)
  while (elapsed() < GIVE_UP_MS) {
    if ((await client.ready()) && (await writes(client))) return elapsed()
    await sleep(50)
  }
  return elapsed()
}

function writes(client: Subject['client']): Promise<boolean> {
  const event = { stream: 'chaos/health', type: 'chaos.healthy', data: {} }
  return client.once('data', 'append_event', event, 2_000).then(
    () => true,
    () => false,
  )
}

async function look(subject: Subject, result: ModeResult, log: Striking['log']): Promise<void> {
  const { ledger } = subject.load
  result.plans = ledger.plans.length
  result.acknowledged = subject.load.acknowledged()
  result.events = ledger.followed.length
  result.effects = subject.receiver.arrivals().filter(({ outcome }) => outcome === 'effect').length
  result.wrong.push(...ledger.troubles)
  for (const [number, times] of subject.client.strange)
    result.wrong.push(`${times} answers were ${number}, a mistake of ours`)
  for (const { name, check } of await checks()) {
    const began = performance.now()
    const found = await check(subject).catch((error: unknown) => [`could not look: ${String(error)}`])
    result.wrong.push(...found.slice(0, MAX_PER_CHECK).map((line) => `${name}: ${line}`))
    if (found.length > MAX_PER_CHECK) result.wrong.push(`${name}: and ${found.length - MAX_PER_CHECK} more`)
    log(
      `${subject.mode}: ${name}: ${found.length === 0 ? 'ok' : `${found.length} wrong`} (${Math.round(performance.now() - began)} ms)`,
    )
  }
}

/** `down` must end everything there is, whatever was killed before. */
async function endAll(subject: Subject): Promise<string[]> {
  const { code, stdout, stderr } = await subject.platform.cli('down')
  await sleep(1_000)
  const left = processesOf(subject)
  for (const { pid } of left) kill(pid)
  return [
    ...(code === 0 ? [] : [`down failed: ${stdout}${stderr}`]),
    ...left.map(({ pid, command }) => `orphan: process ${pid} was left: ${command.slice(0, 160)}`),
  ]
}
