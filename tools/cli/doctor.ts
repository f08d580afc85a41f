import { readFileSync, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '@story-portal/shared/config'
import { dumpFailure, listDumps, readManifest } from '@story-portal/shared/db'
import { type Fault, isStoryPortalError } from '@story-portal/shared/errors'
import { bundledNode, platformNode, rootDir } from '../launch.js'
import { highestPort } from '../registry.ts'
import { callTool } from './call.ts'
import { durability } from './durability.ts'
import { EXIT } from './exit-codes.ts'
import { homeFiles, prepareHome } from './home.ts'
import { nodeVersionOf } from './node-version.ts'
import type { Output } from './output.ts'
import { platformStatus } from './platform-state.ts'
import { daemonPid } from './pm2.ts'
import { assertPortsFree } from './ports.ts'

interface Check {
  name: string
  state: 'ok' | 'warning' | 'failed'
  detail: string
  hint?: string
}

type Finding = Omit<Check, 'name'>

const ok = (detail: string): Finding => ({ state: 'ok', detail })
const warning = (detail: string, hint: string): Finding => ({ state: 'warning', detail, hint })
const failed = (detail: string, hint: string): Finding => ({ state: 'failed', detail, hint })

/** Settings that a check stands on: with one of them bad, its answer would be about something else. */
const STANDS_ON: Record<string, string[]> = {
  mode: ['DATABASE_URL'],
  ports: ['STORY_PORTAL_HOST', 'STORY_PORTAL_PORT_BASE'],
  servers: ['STORY_PORTAL_HOST', 'STORY_PORTAL_PORT_BASE'],
  database: ['DATABASE_URL', 'MIGRATION_DATABASE_URL'],
  redis: ['REDIS_URL'],
}

/** Every check runs whatever the others find, `bad` settings included; exits 1 when one failed. */
export async function runDoctor(out: Output, config: Config, bad: readonly Fault[]): Promise<number> {
  const running = (await platformStatus(config, '')).servers.some((server) => server.state === 'ready')
  const health = running ? await dataHealth(config) : undefined
  const checks: Record<string, () => Finding | Promise<Finding>> = {
    configuration: () => checkConfiguration(bad),
    node: checkNode,
    install: checkInstall,
    mode: () => ok(`${config.mode}: ${durability(config)}`),
    home: () => checkHome(config),
    token: () => checkToken(config),
    disk: () => checkDisk(config),
    ports: () => checkPorts(config, running),
    servers: () => checkServers(config, running),
    database: () => checkDatabase(config, health),
    dumps: () => checkDumps(config),
    pgvector: () => checkVector(health),
    redis: () => checkRedis(config),
  }
  const results: Check[] = []
  for (const [name, check] of Object.entries(checks)) {
    out.progress(`Checking ${name} ...`)
    const unusable = bad.map(({ path: setting }) => setting).filter((setting) => STANDS_ON[name]?.includes(setting))
    const finding = unusable.length > 0 ? notChecked(unusable) : await guarded(check)
    results.push({ name, ...finding })
  }
  const sick = results.some(({ state }) => state === 'failed')
  out.result({ ok: !sick, checks: results }, results.map((check) => line(check, out)).join('\n'))
  return sick ? EXIT.failed : EXIT.ok
}

function checkConfiguration(bad: readonly Fault[]): Finding {
  if (bad.length === 0) return ok('every setting is usable')
  const words = bad.map(({ path: setting, message, hint }) => `${setting} ${message}${hint ? ` (${hint})` : ''}`)
  return failed(words.join('; '), 'Correct them; docs/configuration.md lists every setting. Nothing starts until then.')
}

function notChecked(settings: readonly string[]): Finding {
  return warning(`not checked: ${settings.join(', ')} can not be used`, 'Correct that first.')
}

async function guarded(check: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await check()
  } catch (error) {
    if (isStoryPortalError(error)) return failed(error.message, error.hint)
    return failed(`the check itself failed: ${(error as Error).message}`, 'Report this.')
  }
}

const MARKS = { ok: ['green', 'ok     '], warning: ['yellow', 'warning'], failed: ['red', 'FAILED '] } as const

function line(check: Check, out: Output): string {
  const [colour, word] = MARKS[check.state]
  const text = `${out.style(colour, word)} ${check.name.padEnd(13)} ${check.detail}`
  return check.hint === undefined ? text : `${text}\n                      ${out.style('dim', check.hint)}`
}

function checkNode(): Finding {
  const version = nodeVersionOf(platformNode())
  const bundled = bundledNode()
  const source = bundled ? 'brought along by npm' : "this machine's own"
  const detail = `the platform runs on Node ${version} (${source}: ${platformNode()}); this command on ${process.versions.node}`
  if (/^(24|26)\./.test(version)) return ok(detail)
  return warning(detail, 'Tested are 24 and 26; the sandbox has ready binaries for those only.')
}

function checkInstall(): Finding {
  const { version } = JSON.parse(readFileSync(path.join(rootDir, 'package.json'), 'utf8')) as { version: string }
  const lock = JSON.parse(readFileSync(path.join(rootDir, 'package-lock.json'), 'utf8')) as Lock
  const wrong = Object.entries(lock.packages).flatMap(([place, { version: wanted, optional, link }]) => {
    if (!place.startsWith('node_modules/') || link || optional) return []
    const have = installedVersion(place)
    return have === wanted ? [] : [`${place.slice('node_modules/'.length)} (${have ?? 'missing'} instead of ${wanted})`]
  })
  if (wrong.length === 0) return ok(`Story Portal ${version}, every package as the lockfile says`)
  return failed(
    `${wrong.length} packages differ from the lockfile, first ${wrong[0]}`,
    'Run "npm start"; it installs them.',
  )
}

interface Lock {
  packages: Record<string, { version?: string; optional?: boolean; link?: boolean }>
}

function installedVersion(place: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(path.join(rootDir, place, 'package.json'), 'utf8')) as { version: string }).version
  } catch {
    return undefined
  }
}

function checkHome(config: Config): Finding {
  prepareHome(config.home)
  const mode = statSync(config.home).mode & 0o777
  if ((mode & 0o077) === 0 || process.platform === 'win32') return ok(`${config.home} (only this user can read it)`)
  return warning(`${config.home} can be read by other users (mode ${mode.toString(8)})`, `chmod 700 ${config.home}`)
}

function checkToken(config: Config): Finding {
  const { token } = homeFiles(config.home)
  try {
    const mode = statSync(token).mode & 0o777
    if (mode === 0o600 || process.platform === 'win32') return ok(`${token} (mode 600)`)
    return failed(
      `${token} has mode ${mode.toString(8)}`,
      `chmod 600 ${token}; delete it and start again if others may have read it`,
    )
  } catch {
    return ok('none yet; the first start makes it')
  }
}

function checkDisk(config: Config): Finding {
  const { bavail, bsize } = statfsSync(config.home)
  const gigabytes = (bavail * bsize) / 1024 ** 3
  const detail = `${gigabytes.toFixed(1)} GB free for ${config.home}`
  return gigabytes < 1 ? warning(detail, 'Make room: below 1 GB the database may soon refuse to write.') : ok(detail)
}

async function checkPorts(config: Config, running: boolean): Promise<Finding> {
  const range = `${config.portBase + 1} to ${config.portBase + highestPort()} on ${config.host}`
  if (running) return ok(`${range}, held by this platform`)
  await assertPortsFree(config)
  return ok(`${range} are free`)
}

async function checkServers(config: Config, running: boolean): Promise<Finding> {
  if (!running) return warning('the platform is not running', 'Start it with "npm start".')
  const { servers, reasons } = await platformStatus(config, '')
  const waiting = servers.filter(({ state }) => state !== 'ready').map(({ name }) => name)
  if (waiting.length > 0)
    return failed(`not ready: ${waiting.join(', ')} (${reasons.join('; ') || 'no answer'})`, 'See "story-portal logs".')
  const supervisor = daemonPid(config.home)
  if (supervisor === undefined)
    return warning(
      `${servers.length} servers ready, unsupervised`,
      'Run "npm start" so that they come back after a crash.',
    )
  return ok(`${servers.length} ready, supervised by PM2 (process ${supervisor})`)
}

/** What an upgrade or a restore would start from. */
function checkDumps(config: Config): Finding {
  if (config.mode !== 'embedded') return ok("the backups of DATABASE_URL are that server's")
  const manifest = readManifest(config.home)
  const schema = manifest
    ? `schema ${manifest.schema_version ?? 'empty'}, PostgreSQL ${manifest.postgres_major} (PGlite ${manifest.pglite})`
    : 'no database yet'
  const [newest] = listDumps(config.home)
  const failure = dumpFailure(config.home)
  if (failure) {
    const last = newest ? `the newest is of ${newest.made_at}` : 'there is none'
    return warning(`${schema}; the dump of ${failure.at} failed, ${last}`, failure.reason)
  }
  if (!newest) return ok(`${schema}; no dump yet, the first is written after a day or before the next migration`)
  const hours = Math.round((Date.now() - Date.parse(newest.made_at)) / 3_600_000)
  return ok(`${schema}; newest dump ${hours} h old, ${(newest.bytes / 2 ** 20).toFixed(1)} MB: ${newest.file}`)
}

type Health = Record<string, unknown>

async function dataHealth(config: Config): Promise<Health | undefined> {
  return callTool(config, 'data', 'get_data_health', {}).catch(() => undefined)
}

async function checkDatabase(config: Config, health: Health | undefined): Promise<Finding> {
  if (health) return ok(summary(health))
  if (config.mode === 'embedded') return ok('embedded; its state shows once the platform runs')
  const { databaseHealth } = await import('./migrate.ts')
  const { ok: answers, server_version, migrations } = await databaseHealth(config)
  if (!answers) return failed('the database of DATABASE_URL does not answer', 'Start it, or correct DATABASE_URL.')
  const state = `PostgreSQL ${server_version}, ${migrations.applied} migrations`
  if (migrations.pending.length === 0) return ok(state)
  return warning(
    `${state}, ${migrations.pending.length} to come`,
    'Run "story-portal migrate"; "npm start" does it too.',
  )
}

/** The one-line part of get_data_health: the plain values, by name. */
function summary(health: Health): string {
  const plain = (value: unknown, name: string): string[] => {
    if (['string', 'number', 'boolean'].includes(typeof value)) return [`${name} ${String(value)}`]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
    return Object.entries(value).flatMap(([key, inner]) => plain(inner, `${name} ${key}`))
  }
  const parts = Object.entries(health).flatMap(([name, value]) => plain(value, name))
  return parts.slice(0, 8).join(', ').replaceAll('_', ' ')
}

function checkVector(health: Health | undefined): Finding {
  if (!health) return ok('not known while the platform does not run')
  const version = findKey(health, 'pgvector')
  if (typeof version === 'string') return ok(version)
  return warning(
    'not installed in this database',
    'Search works, exactly and more slowly; install pgvector for large collections.',
  )
}

function findKey(value: unknown, wanted: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const found = key === wanted ? inner : findKey(inner, wanted)
    if (found !== undefined && found !== null) return found
  }
  return undefined
}

async function checkRedis(config: Config): Promise<Finding> {
  if (!config.redis) return ok('not configured: memory and the database do its work')
  const { hostname, port } = new URL(config.redis.url)
  const { canConnect } = await import('./ports.ts')
  if (await canConnect(hostname, Number(port || 6379))) return ok(`answers at ${hostname}:${port || 6379}`)
  return warning(
    `nothing answers at ${hostname}:${port || 6379}`,
    'The platform works without it, more slowly; start it or unset REDIS_URL.',
  )
}
