import { renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureToken } from '@story-portal/shared/auth'
import type { Config } from '@story-portal/shared/config'
import { COMPILE_CACHE, platformNode, rootDir } from '../launch.js'
import { stopPlatform } from './down.ts'
import { cliErrors } from './errors.ts'
import { differences, type Fingerprint, fingerprint } from './fingerprint.ts'
import { homeFiles, prepareHome } from './home.ts'
import { databaseHealth, migrateDatabase } from './migrate.ts'
import { nodeVersionOf } from './node-version.ts'
import type { Output } from './output.ts'
import {
  adoptRunningBase,
  failuresSince,
  type PlatformFile,
  type PlatformStatus,
  platformStatus,
  readPlatformFile,
  runningProcesses,
} from './platform-state.ts'
import { daemonPid, pm2 } from './pm2.ts'
import { assertPortsFree } from './ports.ts'
import { withStartLock } from './start-lock.ts'

export interface UpResult extends PlatformStatus {
  /** What this call did: `nothing` when everything ran already. */
  changed: 'nothing' | 'started' | 'restarted'
  why: string[]
}

/** A first start makes the database, which takes seconds; a loaded small machine multiplies that. */
const READY_MS = 120_000

/**
 * What the supervisor restarts by itself gets this long to show a process, and that process the time of any start: another restart
 * would only begin it anew.
 */
const COMES_BACK_MS = 30_000

/** Brings the platform of this home up, or leaves it alone when what runs is what should run. */
export async function up(config: Config, out: Output, env: NodeJS.ProcessEnv = process.env): Promise<UpResult> {
  prepareHome(config.home)
  ensureToken(homeFiles(config.home).token)
  const onWait = (pid: number) => out.note(`Process ${pid} is starting or stopping it already; waiting for that.`)
  return withStartLock(config.home, () => upLocked(adoptRunningBase(config, env), out), { onWait })
}

async function upLocked(config: Config, out: Output): Promise<UpResult> {
  const wanted = fingerprint(rootDir, nodeVersionOf(platformNode()), { ...config, root: undefined })
  let before = await platformStatus(config, wanted.version)
  const running = readPlatformFile(config.home)
  const why = running ? differences(running.fingerprint, wanted) : []
  const supervised = daemonPid(config.home) !== undefined
  if (running && !supervised) why.push('its supervisor is gone')
  if (running && why.length === 0 && !allReady(before)) before = await comesBack(config, wanted.version, out)
  if (running && allReady(before) && why.length === 0) return { ...strip(before), changed: 'nothing', why }

  const something = supervised || runningProcesses(config.home).length > 0
  // On a move to other ports they are looked at before anything is stopped.
  if (!something || (running && running.port_base !== config.portBase)) await assertPortsFree(config)
  if (something) {
    await assertDatabaseAnswers(config)
    if (why.length === 0) why.push('not every server was ready')
    out.note(`Restarting: ${why.join(', ')}. Work in progress is finished or handed over first.`)
    await stopPlatform(config.home)
  }
  await start(config, out)
  writePlatformFile(config, wanted)
  const after = await platformStatus(config, wanted.version)
  return { ...strip(after), changed: something ? 'restarted' : 'started', why }
}

const allReady = ({ servers }: PlatformStatus): boolean => servers.every(({ state }) => state === 'ready')

/** Waits for servers that are on their way up, until one says why it can't start; returns how they stand then. */
async function comesBack(config: Config, version: string, out: Output) {
  const since = Date.now()
  while (true) {
    const status = await platformStatus(config, version)
    const begun = runningProcesses(config.home).map(({ started_at }) => Date.parse(started_at) + READY_MS)
    const over = Date.now() > Math.max(since + COMES_BACK_MS, ...begun) || failuresSince(config.home, since).length > 0
    if (allReady(status) || over || daemonPid(config.home) === undefined) return status
    out.progress('Waiting for servers that are starting ...')
    await sleep(150)
  }
}

/** A platform that works is not stopped for a database that can't be reached. */
async function assertDatabaseAnswers(config: Config): Promise<void> {
  if (config.mode !== 'distributed') return
  const { ok, reason } = await databaseHealth(config)
  if (!ok) throw cliErrors.databaseAway({ reason: reason ?? 'it does not answer.' })
}

async function start(config: Config, out: Output): Promise<void> {
  if (config.mode === 'distributed') {
    out.progress('Migrating the database ...')
    // Several processes share that database, so it is brought up to date once, before any of them starts.
    await migrateDatabase(config)
  }
  const since = Date.now()
  const crashLog = path.join(homeFiles(config.home).crashes, '*.log')
  const started = pm2(config.home, ['start', path.join(rootDir, 'ecosystem.config.js')], appEnv(config))
  let pm2Failed = ''
  started.then(
    ({ code, stdout, stderr }) => {
      if (code !== 0) pm2Failed = (stderr || stdout).trim().split('\n').slice(-3).join(' ')
    },
    (error) => {
      pm2Failed = String(error)
    },
  )
  while (true) {
    const status = await platformStatus(config, '')
    const waiting = status.servers.filter((server) => server.state !== 'ready')
    const [failure] = failuresSince(config.home, since)
    if (waiting.length === 0) break
    const problem = failure?.message ?? pm2Failed
    if (problem !== '' || Date.now() - since > READY_MS) {
      await stopPlatform(config.home)
      const what = failure?.name ?? waiting.map(({ name }) => name).join(', ')
      const reason = problem || status.reasons.join('; ') || `nothing was heard for ${READY_MS / 1000} s`
      throw cliErrors.startFailed({ what, reason, crash_log: crashLog }, failure ? { hint: failure.hint } : {})
    }
    out.progress(`Starting: ${status.servers.length - waiting.length} of ${status.servers.length} servers ready ...`)
    await sleep(150)
  }
  // PM2 keeps waiting for its own signal a moment longer than we do.
  await started
  out.progress('')
}

/** Everything PM2 hands to the apps; absolute, so that no app resolves it against another directory. */
function appEnv(config: Config): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // A process that was killed is back sooner when nothing has to be compiled again.
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? COMPILE_CACHE,
    STORY_PORTAL_HOME: config.home,
    STORY_PORTAL_PORT_BASE: String(config.portBase),
    STORY_PORTAL_HOST: config.host,
  }
}

function writePlatformFile(config: Config, wanted: Fingerprint): void {
  const file = homeFiles(config.home).platform
  const content: PlatformFile = {
    mode: config.mode,
    home: config.home,
    host: config.host,
    port_base: config.portBase,
    started_at: new Date().toISOString(),
    fingerprint: wanted,
  }
  writeFileSync(`${file}.new`, JSON.stringify(content, null, 2), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  rmSync(homeFiles(config.home).failures, { recursive: true, force: true })
}

const strip = ({ mode, home, version, servers }: PlatformStatus): PlatformStatus => ({ mode, home, version, servers })
