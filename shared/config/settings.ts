import { z } from 'zod'

/** One setting: its environment name, its place in config.json and in `Config`, and what it may be. */
export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Dotted place in config.json; absent when only the environment can say it. */
  path?: string
  /** Its value never appears in a message, a log line or `story-portal doctor`. */
  secret?: true
  /** Taken over by SIGHUP without a restart. */
  reloadable?: true
  about: string
  schema: S
}

function integer(min: number, max: number, preset: number) {
  const fault = `must be a whole number from ${min} to ${max}`
  const number = z.number(fault).int(fault).min(min, fault).max(max, fault)
  return z.preprocess((v) => (typeof v === 'string' && /^-?\d+$/.test(v) ? Number(v) : v), number).default(preset)
}

function flag(preset: boolean) {
  const words: Record<string, boolean> = { true: true, on: true, '1': true, false: false, off: false, '0': false }
  const boolean = z.boolean('must be true or false')
  return z.preprocess((v) => (typeof v === 'string' && v in words ? words[v] : v), boolean).default(preset)
}

function url(protocols: readonly string[]) {
  const fault = `must be a URL that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`
  return z.string(fault).refine((v) => {
    const parsed = URL.parse(v)
    return parsed !== null && protocols.includes(parsed.protocol.slice(0, -1)) && parsed.hostname !== ''
  }, fault)
}

const databaseUrl = z
  .string('must be a URL that begins with postgres:// or postgresql://')
  .refine(
    (v) => /^postgres(ql)?:$/.test(URL.parse(v)?.protocol ?? ''),
    'must be a URL that begins with postgres:// or postgresql://',
  )

const text = (max: number) =>
  z.string('must be text').min(1, 'must not be empty').max(max, `must be at most ${max} characters`)

const hostNames = z
  .string('must be names with commas between')
  .max(4096, 'must be at most 4096 characters')
  .regex(/^[\w.:[\]-]+(\s*,\s*[\w.:[\]-]+)*$/, 'must be host names without scheme or port, with commas between')
  .optional()

const hostsAndPorts = z
  .string('must be hosts with commas between')
  .max(4096, 'must be at most 4096 characters')
  .regex(/^[\w.:[\]-]+(\s*,\s*[\w.:[\]-]+)*$/, 'must be hosts or host:port, with commas between')
  .optional()

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Every setting of the platform, by environment name. Documentation and the check for unknown names are made from it. */
export const SETTINGS = {
  STORY_PORTAL_HOME: {
    about: 'Data directory; a relative one starts at the clone, never at the current directory.',
    schema: text(4096).default('.story-portal'),
  },
  STORY_PORTAL_HOST: {
    path: 'host',
    about: 'Address the servers listen on.',
    schema: text(255).default('127.0.0.1'),
  },
  STORY_PORTAL_PORT_BASE: {
    path: 'port_base',
    about: 'Servers listen on this port plus 1 to 14, those you add on this port plus 15 to 99.',
    schema: integer(1, 65_436, 8000),
  },
  DATABASE_URL: {
    path: 'db.url',
    secret: true,
    about: 'A PostgreSQL 15 or newer; without it the embedded database is used.',
    schema: databaseUrl.optional(),
  },
  MIGRATION_DATABASE_URL: {
    path: 'db.migration_url',
    secret: true,
    about: 'The owner that may change the schema, when DATABASE_URL is not that.',
    schema: databaseUrl.optional(),
  },
  STORY_PORTAL_DB_POOL_MAX: {
    path: 'db.pool_max',
    about: 'Connections per process to PostgreSQL.',
    schema: integer(2, 500, 10),
  },
  STORY_PORTAL_DB_CONNECT_TIMEOUT_MS: {
    path: 'db.connect_timeout_ms',
    about: 'How long a caller waits for a connection.',
    schema: integer(100, 600_000, 10_000),
  },
  STORY_PORTAL_DB_MAX_QUERY_MS: {
    path: 'db.max_query_ms',
    about: 'Embedded: a query that takes longer ends the database thread, which starts again.',
    schema: integer(100, 3_600_000, 30_000),
  },
  STORY_PORTAL_DB_IDLE_TRANSACTION_MS: {
    path: 'db.idle_transaction_ms',
    about:
      'Embedded: an open transaction without a statement for this long is rolled back; on PostgreSQL after three times that.',
    schema: integer(100, 600_000, 5000),
  },
  STORY_PORTAL_DB_LOCK_TIMEOUT_MS: {
    path: 'db.lock_timeout_ms',
    about: 'PostgreSQL: how long a statement waits for a lock.',
    schema: integer(100, 600_000, 10_000),
  },
  STORY_PORTAL_DB_STATEMENT_TIMEOUT_MS: {
    path: 'db.statement_timeout_ms',
    about: 'PostgreSQL: how long a statement may run.',
    schema: integer(100, 3_600_000, 30_000),
  },
  STORY_PORTAL_DB_FSYNC: {
    path: 'db.fsync',
    about: 'Embedded: every commit waits for the disk, so that it survives a power cut.',
    schema: flag(true),
  },
  REDIS_URL: {
    path: 'redis.url',
    secret: true,
    about: 'Redis 7 or Valkey for cache, limits and notifications; works without.',
    schema: url(['redis', 'rediss']).optional(),
  },
  STORY_PORTAL_REDIS_COMMAND_TIMEOUT_MS: {
    path: 'redis.command_timeout_ms',
    about: 'How long one Redis command may take before the platform goes on without it.',
    schema: integer(10, 60_000, 300),
  },
  STORY_PORTAL_LEASE_MS: {
    path: 'engine.lease_ms',
    about: 'How long a worker owns a task or call without a sign of life.',
    schema: integer(500, 3_600_000, 30_000),
  },
  STORY_PORTAL_APPROVAL_MS: {
    path: 'engine.approval_ms',
    about: 'How long a call waits for somebody to allow it, before it is refused.',
    schema: integer(1_000, 31_536_000_000, 604_800_000),
  },
  STORY_PORTAL_SESSION_SILENCE_MS: {
    path: 'context.session_silence_ms',
    about: 'A session of an assistant that gives no sign of life for so long counts as crashed.',
    schema: integer(1_000, 86_400_000, 300_000),
  },
  STORY_PORTAL_RECONCILE_MS: {
    path: 'engine.reconcile_ms',
    about: 'How often forgotten work is looked for.',
    schema: integer(50, 600_000, 2000),
  },
  STORY_PORTAL_TASK_CONCURRENCY: {
    path: 'engine.task_concurrency',
    about: 'Tasks one process carries out at the same time.',
    schema: integer(1, 1000, 8),
  },
  STORY_PORTAL_SANDBOX_WORKERS: {
    path: 'sandbox.workers',
    about: 'Sandbox processes kept warm.',
    schema: integer(1, 256, 2),
  },
  STORY_PORTAL_SANDBOX_WALL_MS: {
    path: 'sandbox.wall_ms',
    about: 'Longest run of sandboxed code.',
    schema: integer(10, 3_600_000, 30_000),
  },
  STORY_PORTAL_SANDBOX_WAIT_MS: {
    path: 'sandbox.wait_ms',
    about: 'Longest wait of code for a free sandbox process, before its own time begins.',
    schema: integer(10, 86_400_000, 300_000),
  },
  STORY_PORTAL_SANDBOX_MEMORY_MB: {
    path: 'sandbox.memory_mb',
    about: 'Heap of one isolate.',
    schema: integer(8, 8192, 64),
  },
  STORY_PORTAL_SANDBOX_RSS_MB: {
    path: 'sandbox.rss_mb',
    about: 'A sandbox process that grows beyond this is killed.',
    schema: integer(64, 65_536, 400),
  },
  STORY_PORTAL_SANDBOX_MAX_RESULT_BYTES: {
    path: 'sandbox.max_result_bytes',
    about: 'Largest result of sandboxed code.',
    schema: integer(1024, 16_777_216, 1_048_576),
  },
  STORY_PORTAL_SANDBOX_MAX_LOG_BYTES: {
    path: 'sandbox.max_log_bytes',
    about: 'Console output kept from one run.',
    schema: integer(0, 16_777_216, 65_536),
  },
  STORY_PORTAL_SANDBOX_MAX_HOST_CALLS: {
    path: 'sandbox.max_host_calls',
    about: 'Capability calls one run may make.',
    schema: integer(0, 1_000_000, 1000),
  },
  STORY_PORTAL_FETCH_PRIVATE_HOSTS: {
    path: 'fetch.private_hosts',
    about: 'Hosts, with or without a port, that tools and upstreams may reach although their addresses are not public.',
    schema: hostsAndPorts,
  },
  STORY_PORTAL_SECRET_KEY: {
    secret: true,
    about: 'Key that secrets are sealed with: 32 bytes as base64. Without it one is made in <home>/secret-key.',
    schema: z
      .string('must be 32 bytes as base64')
      .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes as base64')
      .optional(),
  },
  STORY_PORTAL_MAX_BODY_BYTES: {
    path: 'mcp.max_body_bytes',
    reloadable: true,
    about: 'Largest request.',
    schema: integer(1024, 67_108_864, 1_048_576),
  },
  STORY_PORTAL_MAX_DEPTH: {
    path: 'mcp.max_depth',
    reloadable: true,
    about: 'Deepest nesting of arguments.',
    schema: integer(4, 1000, 64),
  },
  STORY_PORTAL_REQUEST_TIMEOUT_MS: {
    path: 'mcp.request_timeout_ms',
    reloadable: true,
    about: 'Longest a call may take when its caller names no deadline.',
    schema: integer(100, 3_600_000, 60_000),
  },
  STORY_PORTAL_DRAIN_MS: {
    path: 'mcp.drain_ms',
    reloadable: true,
    about: 'How long calls in flight may go on after the signal to stop.',
    schema: integer(0, 600_000, 10_000),
  },
  STORY_PORTAL_FRONT_PATH: {
    path: 'mcp.front_path',
    reloadable: true,
    about:
      'Plain tool calls and lists over HTTP are answered without the MCP SDK, byte for byte the same; off sends all to it.',
    schema: flag(true),
  },
  STORY_PORTAL_ALLOWED_HOSTS: {
    path: 'mcp.allowed_hosts',
    about: 'More names the servers are reached by, with commas between; this machine and STORY_PORTAL_HOST always are.',
    schema: hostNames,
  },
  STORY_PORTAL_LOG_LEVEL: {
    path: 'log.level',
    reloadable: true,
    about: `One of ${LEVELS.join(', ')}.`,
    schema: z.enum(LEVELS, `must be one of ${LEVELS.join(', ')}`).default('info'),
  },
  STORY_PORTAL_LOG_DIR: {
    path: 'log.dir',
    about: 'Directory of the log files; by default logs/ in the data directory.',
    schema: text(4096).optional(),
  },
  STORY_PORTAL_LOG_MAX_BYTES: {
    path: 'log.max_bytes',
    about: 'Size at which a log file is turned over.',
    schema: integer(4096, 1_073_741_824, 10_485_760),
  },
  STORY_PORTAL_LOG_MAX_FILES: {
    path: 'log.max_files',
    about: 'Turned-over files kept per process.',
    schema: integer(1, 100, 5),
  },
  STORY_PORTAL_SERVICE_KEY: {
    path: 'service_key',
    secret: true,
    about: 'Signs calls between hosts; the same on all of them.',
    schema: z
      .string('must be text')
      .min(32, 'must have at least 32 characters')
      .max(1024, 'must have at most 1024 characters')
      .optional(),
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS
export type Settings = { [N in SettingName]: z.output<(typeof SETTINGS)[N]['schema']> }

/** `STORY_PORTAL_URL_TOOL_EXECUTION` says where the server tool-execution listens. */
export const SERVER_URL = /^STORY_PORTAL_URL_([A-Z][A-Z0-9_]*)$/
export const serverUrl = url(['http', 'https'])

/** Names the processes of the platform set for each other; not settings. */
export const INTERNAL_NAME = /^STORY_PORTAL_(INTERNAL_|TEST_|REEXEC$)/
