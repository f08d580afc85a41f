import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import type { Fault } from '../errors/index.ts'
import { ConfigError } from './errors.ts'
import { nearest } from './nearest.ts'
import { INTERNAL_NAME, SERVER_URL, SETTINGS, type Setting, type Settings, serverUrl } from './settings.ts'

export interface ConfigSource {
  env?: Record<string, string | undefined>
  /** The clone, or the installed package: where a relative STORY_PORTAL_HOME starts. */
  root: string
}

/** What a process runs with; made once by `loadConfig`, never changed except through `watchConfig`. */
export type Config = ReturnType<typeof assemble>

const schema = z.object(Object.fromEntries(Object.entries(SETTINGS).map(([name, s]) => [name, s.schema])))
const nameByPath = new Map<string, string>()
for (const [name, setting] of Object.entries<Setting>(SETTINGS)) if (setting.path) nameByPath.set(setting.path, name)

/**
 * Reads the environment (wins) and `<home>/config.json`. Throws ConfigError naming every bad setting with the reason. The
 * environment is read here and nowhere else.
 */
export function loadConfig(source: ConfigSource): Config {
  const { config, faults } = examineConfig(source)
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

/**
 * For a diagnosis: every bad setting, and the configuration with the preset in the place of each of them. Nothing may be
 * started with it while there are faults.
 */
export function examineConfig(source: ConfigSource): { config: Config; faults: Fault[] } {
  const env = withoutEmpty(source.env ?? process.env)
  const home = resolveHome(env['STORY_PORTAL_HOME'], source.root)
  const faults: Fault[] = unknownNames(env)
  const file = readFile(path.join(home, 'config.json'), faults)
  const given: Record<string, unknown> = { ...file, ...pick(env) }
  for (const {
    path: [name],
    message,
  } of schema.safeParse(given).error?.issues ?? []) {
    faults.push({ path: String(name), message })
    delete given[String(name)]
  }
  const urls = serverUrls(env, faults)
  return { config: assemble(schema.parse(given) as Settings, { home, root: source.root, urls }), faults }
}

function withoutEmpty(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  )
}

function pick(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => Object.hasOwn(SETTINGS, name)))
}

function resolveHome(home: string | undefined, root: string): string {
  if (home?.startsWith('~/')) return path.join(homedir(), home.slice(2))
  return path.resolve(root, home ?? '.story-portal')
}

function unknownNames(env: Record<string, string>): Fault[] {
  const known = Object.keys(SETTINGS)
  return Object.keys(env)
    .filter((n) => n.startsWith('STORY_PORTAL_') && !known.includes(n) && !SERVER_URL.test(n) && !INTERNAL_NAME.test(n))
    .map((name) => unknown(name, known))
}

function unknown(name: string, known: readonly string[]): Fault {
  const guess = nearest(name, known)
  return { path: name, message: 'is not a setting', ...(guess ? { hint: `did you mean ${guess}?` } : {}) }
}

function readFile(file: string, faults: Fault[]): Record<string, unknown> {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      faults.push({ path: 'config.json', message: code ? `can not be read (${code})` : 'is not valid JSON' })
    }
    return {}
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    faults.push({ path: 'config.json', message: 'must be an object' })
    return {}
  }
  return Object.fromEntries(leaves(content, '').flatMap(([place, value]) => toSetting(place, value, faults)))
}

function leaves(value: object, prefix: string): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? leaves(inner, `${prefix}${key}.`)
      : [[prefix + key, inner]],
  )
}

function toSetting(place: string, value: unknown, faults: Fault[]): [string, unknown][] {
  const name = nameByPath.get(place)
  if (name) return [[name, value]]
  const { path: _, ...rest } = unknown(place, [...nameByPath.keys()])
  faults.push({ path: `config.json ${place}`, ...rest })
  return []
}

function serverUrls(env: Record<string, string>, faults: Fault[]): Record<string, string> {
  const urls: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    const server = SERVER_URL.exec(name)?.[1]
    if (!server) continue
    const parsed = serverUrl.safeParse(value)
    if (parsed.success) urls[server.toLowerCase().replaceAll('_', '-')] = value.replace(/\/+$/, '')
    else faults.push({ path: name, message: parsed.error.issues[0]?.message ?? 'is not usable' })
  }
  return urls
}

function assemble(s: Settings, place: { home: string; root: string; urls: Record<string, string> }) {
  return {
    ...place,
    /** `DATABASE_URL` alone decides. */
    mode: (s.DATABASE_URL === undefined ? 'embedded' : 'distributed') as 'embedded' | 'distributed',
    host: s.STORY_PORTAL_HOST,
    portBase: s.STORY_PORTAL_PORT_BASE,
    serviceKey: s.STORY_PORTAL_SERVICE_KEY,
    db: {
      url: s.DATABASE_URL,
      migrationUrl: s.MIGRATION_DATABASE_URL ?? s.DATABASE_URL,
      poolMax: s.STORY_PORTAL_DB_POOL_MAX,
      connectTimeoutMs: s.STORY_PORTAL_DB_CONNECT_TIMEOUT_MS,
      maxQueryMs: s.STORY_PORTAL_DB_MAX_QUERY_MS,
      idleTransactionMs: s.STORY_PORTAL_DB_IDLE_TRANSACTION_MS,
      lockTimeoutMs: s.STORY_PORTAL_DB_LOCK_TIMEOUT_MS,
      statementTimeoutMs: s.STORY_PORTAL_DB_STATEMENT_TIMEOUT_MS,
      fsync: s.STORY_PORTAL_DB_FSYNC,
    },
    redis: s.REDIS_URL ? { url: s.REDIS_URL, commandTimeoutMs: s.STORY_PORTAL_REDIS_COMMAND_TIMEOUT_MS } : undefined,
    engine: {
      leaseMs: s.STORY_PORTAL_LEASE_MS,
      approvalMs: s.STORY_PORTAL_APPROVAL_MS,
      reconcileMs: s.STORY_PORTAL_RECONCILE_MS,
      taskConcurrency: s.STORY_PORTAL_TASK_CONCURRENCY,
    },
    sandbox: {
      workers: s.STORY_PORTAL_SANDBOX_WORKERS,
      wallMs: s.STORY_PORTAL_SANDBOX_WALL_MS,
      waitMs: s.STORY_PORTAL_SANDBOX_WAIT_MS,
      memoryMb: s.STORY_PORTAL_SANDBOX_MEMORY_MB,
      rssMb: s.STORY_PORTAL_SANDBOX_RSS_MB,
      maxResultBytes: s.STORY_PORTAL_SANDBOX_MAX_RESULT_BYTES,
      maxLogBytes: s.STORY_PORTAL_SANDBOX_MAX_LOG_BYTES,
      maxHostCalls: s.STORY_PORTAL_SANDBOX_MAX_HOST_CALLS,
    },
    context: { sessionSilenceMs: s.STORY_PORTAL_SESSION_SILENCE_MS },
    fetch: { privateHosts: s.STORY_PORTAL_FETCH_PRIVATE_HOSTS },
    secretKey: s.STORY_PORTAL_SECRET_KEY,
    mcp: {
      maxBodyBytes: s.STORY_PORTAL_MAX_BODY_BYTES,
      maxDepth: s.STORY_PORTAL_MAX_DEPTH,
      requestTimeoutMs: s.STORY_PORTAL_REQUEST_TIMEOUT_MS,
      drainMs: s.STORY_PORTAL_DRAIN_MS,
      frontPath: s.STORY_PORTAL_FRONT_PATH,
      allowedHosts: s.STORY_PORTAL_ALLOWED_HOSTS,
    },
    log: {
      level: s.STORY_PORTAL_LOG_LEVEL,
      dir: s.STORY_PORTAL_LOG_DIR ? path.resolve(place.home, s.STORY_PORTAL_LOG_DIR) : path.join(place.home, 'logs'),
      maxBytes: s.STORY_PORTAL_LOG_MAX_BYTES,
      maxFiles: s.STORY_PORTAL_LOG_MAX_FILES,
    },
  }
}
