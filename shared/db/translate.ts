import { errors, isStoryPortalError, type StoryPortalError } from '../errors/index.ts'
import { dbErrors, SQLSTATE } from './errors.ts'

/** What both drivers put on an error that the server sent. */
export interface ServerError extends Error {
  code?: string
  constraint?: string
  table?: string
  column?: string
  detail?: string
}

type Translate = (error: ServerError) => StoryPortalError

const names = (e: ServerError) => ({ table: e.table ?? 'a table', constraint: e.constraint ?? 'a constraint' })
const where = (e: ServerError) => ({
  details: { ...(e.table ? { table: e.table } : {}), ...(e.constraint ? { constraint: e.constraint } : {}) },
})
const fits = (what: string, e: ServerError) => dbErrors.refusedValue({ what }, { cause: e, ...where(e) })
const later = { retry_after_ms: 1000 }

const BY_CODE: Record<string, Translate> = {
  '23505': (e) => dbErrors.duplicate(names(e), { cause: e, ...where(e) }),
  '23P01': (e) => dbErrors.duplicate(names(e), { cause: e, ...where(e) }),
  '23503': (e) =>
    (e.message.startsWith('update or delete') ? dbErrors.stillReferenced : dbErrors.missingReference)(names(e), {
      cause: e,
      ...where(e),
    }),
  '23502': (e) => fits(`${e.table ?? 'the table'}.${e.column ?? 'a column'}, which must not be empty`, e),
  '23514': (e) => fits(`the rule ${e.constraint ?? 'of the table'}`, e),
  '40001': (e) => dbErrors.busy({}, { cause: e, ...later }),
  '40P01': (e) => dbErrors.busy({}, { cause: e, ...later }),
  '55P03': (e) => dbErrors.busy({}, { cause: e, ...later }),
  '57014': (e) => dbErrors.tooSlow({}, { cause: e }),
  '25P03': (e) => dbErrors.idleTransaction({}, { cause: e }),
  '25P04': (e) => dbErrors.idleTransaction({}, { cause: e }),
  '53100': (e) => dbErrors.diskFull({}, { cause: e, retry_after_ms: 10_000 }),
  ENOSPC: (e) => dbErrors.diskFull({}, { cause: e, retry_after_ms: 10_000 }),
  '3D000': (e) => dbErrors.refusedLogin({}, { cause: e }),
  '42P01': (e) => dbErrors.notMigrated({}, { cause: e }),
  '3F000': (e) => dbErrors.notMigrated({}, { cause: e }),
  [SQLSTATE.illegalTransition]: (e) => errors.illegalTransition(ours(e), { cause: e }),
  [SQLSTATE.appendOnly]: (e) => dbErrors.appendOnly(ours(e), { cause: e }),
  [SQLSTATE.wrongVersion]: (e) => wrongVersion(e),
}

const BY_CLASS: Record<string, Translate> = {
  '08': (e) => dbErrors.unreachable({}, { cause: e, ...later }),
  '22': (e) => fits('the type of its field', e),
  '28': (e) => dbErrors.refusedLogin({}, { cause: e }),
  '53': (e) => dbErrors.outOfResources({}, { cause: e, ...later }),
  '57': (e) => dbErrors.unreachable({}, { cause: e, ...later }),
  '58': (e) => dbErrors.unreachable({}, { cause: e, ...later }),
}

const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
])

/** `pg` gives these no code; the pool's and the client's words, not the server's. */
const LOST =
  /^(Connection terminated|Client has encountered|timeout exceeded when trying to connect|timeout expired|The server closed)/

/** True when the connection is gone or was never there: the statement may not have been carried out. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as ServerError).code ?? ''
  const socket = SOCKET.has(code) && (error as NodeJS.ErrnoException).syscall !== 'open'
  return socket || code.startsWith('08') || /^57P0[1-3]$/.test(code) || LOST.test(error.message)
}

/** True for serialization failures, deadlocks and outdated plans: the same transaction may succeed when it is run again. */
export function isRetryable(error: unknown): boolean {
  const code = (error as ServerError | undefined)?.code
  return code === '40001' || code === '40P01' || isOutdatedPlan(error)
}

/** A migration changed the columns of a statement that this connection holds prepared. */
export function isOutdatedPlan(error: unknown): boolean {
  return (error as ServerError | undefined)?.code === '0A000' && /^cached plan /.test((error as Error).message)
}

/**
 * Turns what a driver threw into one of our errors, with the original as `cause` for the log; anything that is not a driver's
 * error comes back unchanged.
 */
export function translateDriverError(error: unknown): unknown {
  if (!(error instanceof Error) || isStoryPortalError(error)) return error
  const e = error as ServerError
  if (isConnectionLost(e)) return dbErrors.unreachable({}, { cause: e, ...later })
  if (e.code === undefined) return error
  if (isOutdatedPlan(e)) return dbErrors.busy({}, { cause: e, ...later })
  // `set role` before the roles were made.
  if (/^(42704|22023)$/.test(e.code) && /"story_portal_(app|system)"/.test(e.message))
    return dbErrors.notMigrated({}, { cause: e })
  const known = Object.hasOwn(BY_CODE, e.code) ? BY_CODE[e.code] : BY_CLASS[e.code.slice(0, 2)]
  if (known && (e.code.length === 5 || e.code === 'ENOSPC')) return known(e)
  return error
}

function wrongVersion(e: ServerError): StoryPortalError {
  const {
    stream = '',
    actual = 0,
    expected = 0,
  } = detailOf(e) as { stream?: string; actual?: number; expected?: number }
  const faults = [{ path: 'expected_version', message: `is ${expected}, the stream is at ${actual}` }]
  return errors.versionConflict(
    { what: `Stream ${stream}`, actual, expected },
    { cause: e, details: { stream, actual, expected, faults } },
  )
}

/** The parameters our own triggers send as JSON, as text for messages. */
function ours(e: ServerError): Record<string, string> {
  return Object.fromEntries(
    Object.entries(detailOf(e)).map(([k, v]) => [k, Array.isArray(v) ? v.join(', ') : String(v)]),
  )
}

function detailOf(e: ServerError): Record<string, unknown> {
  try {
    return JSON.parse(e.detail ?? '{}') as Record<string, unknown>
  } catch {
    return {}
  }
}
