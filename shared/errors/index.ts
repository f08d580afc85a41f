export { issueWords, valueAt } from './issue-words.ts'

/**
 * The closed set of errors a caller can meet. Every specific case is declared once with `defineErrors`, which also feeds
 * the generated catalogue (docs/errors.md); every surface prints the same body, made by `toErrorBody`.
 */
export const ERROR_CODES = {
  INVALID_INPUT: { http: 400, retryable: false },
  UNAUTHENTICATED: { http: 401, retryable: false },
  DENIED: { http: 403, retryable: false },
  NOT_FOUND: { http: 404, retryable: false },
  CONFLICT: { http: 409, retryable: false },
  LIMIT_EXCEEDED: { http: 429, retryable: true },
  UNAVAILABLE: { http: 503, retryable: true },
  INTERNAL: { http: 500, retryable: false },
} as const

export type ErrorCode = keyof typeof ERROR_CODES
export type Severity = 'info' | 'warning' | 'error' | 'critical'

export interface ErrorSpec {
  readonly number: `E${number}`
  readonly code: ErrorCode
  readonly severity: Severity
  /** Our own words; `{name}` is replaced by the parameter of that name, shortened and stripped of control characters. */
  readonly message: string
  /** What the caller does next; names a tool, a command or a setting. */
  readonly hint: string
  /** Only where the same call again can't help although its code says it may: a limit the code itself runs into. */
  readonly retryable?: boolean
}

/** One fault inside the input: `path` is a JSON Pointer-like dotted path such as `tasks[3].depends_on[0]`. */
export interface Fault {
  path: string
  message: string
  hint?: string
}

export interface ErrorDetails {
  faults?: Fault[]
  [name: string]: unknown
}

export interface ErrorBody {
  error: {
    code: ErrorCode
    number: string
    message: string
    hint: string
    retryable: boolean
    retry_after_ms?: number
    correlation_id?: string
    details?: ErrorDetails
  }
}

export interface ErrorOptions {
  details?: ErrorDetails
  retry_after_ms?: number
  /** The original error: goes to the log under the correlation id, never to the caller. */
  cause?: unknown
  hint?: string
  /** Under which the process that made the error logged it. */
  correlation_id?: string
}

/** The one error class of the platform; `code` decides HTTP status and exit code on every surface. */
export class StoryPortalError extends Error {
  readonly code: ErrorCode
  readonly number: string
  readonly severity: Severity
  readonly hint: string
  readonly details: ErrorDetails | undefined
  readonly retry_after_ms: number | undefined
  readonly retryable: boolean
  readonly correlation_id: string | undefined

  constructor(spec: ErrorSpec, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = spec.code
    this.code = spec.code
    this.number = spec.number
    this.severity = spec.severity
    this.hint = options.hint ?? spec.hint
    this.details = options.details
    this.retry_after_ms = options.retry_after_ms
    this.correlation_id = options.correlation_id
    this.retryable = spec.retryable ?? ERROR_CODES[spec.code].retryable
  }

  get http(): number {
    return ERROR_CODES[this.code].http
  }
}

type Params = Record<string, string | number | boolean>
export type ErrorFactory = (params?: Params, options?: ErrorOptions) => StoryPortalError

const catalogue = new Map<string, ErrorSpec & { name: string; layer: number }>()

/**
 * Declares the error cases of one layer (0 = shared, 1 to 12 = L01 to L12, 13 and 14 = the document and context services).
 * Numbers are `E{layer}{nnn}`; a number outside the layer or used twice throws at load, so the catalogue can't lie.
 */
export function defineErrors<const T extends Record<string, ErrorSpec>>(
  layer: number,
  specs: T,
): { readonly [K in keyof T]: ErrorFactory } {
  const factories: Record<string, ErrorFactory> = {}
  for (const [name, spec] of Object.entries(specs)) {
    if (!new RegExp(`^E${layer}\\d{3}$`).test(spec.number)) {
      throw new Error(`${spec.number} (${name}) is not in the range of layer ${layer}`)
    }
    const taken = catalogue.get(spec.number)
    if (taken && (taken.name !== name || taken.message !== spec.message)) {
      throw new Error(`${spec.number} is used by ${taken.name} and ${name}`)
    }
    catalogue.set(spec.number, { ...spec, name, layer })
    factories[name] = (params = {}, options = {}) =>
      new StoryPortalError(spec, interpolate(spec.message, params), {
        ...options,
        hint: options.hint ?? interpolate(spec.hint, params),
      })
  }
  return factories as { readonly [K in keyof T]: ErrorFactory }
}

/** Every declared case, by number. */
export function errorCatalogue(): (ErrorSpec & { name: string; layer: number })[] {
  return [...catalogue.values()].sort((a, b) => a.layer - b.layer || a.number.localeCompare(b.number))
}

/** Makes text that came from outside safe to print: no control, bidirectional or invisible characters, at most `max` characters. */
export function safeText(value: unknown, max = 120): string {
  const text = String(value).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, '\ufffd')
  return text.length > max ? `${text.slice(0, max - 1)}\u2026` : text
}

function interpolate(template: string, params: Params): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(params, name) ? safeText(params[name]) : whole,
  )
}

/** Cases that any layer can meet. */
export const errors = defineErrors(0, {
  invalidInput: {
    number: 'E0001',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The arguments do not fit: {summary}',
    hint: 'Correct the fields named in details.faults; get_tool_definition shows the schema.',
  },
  unauthenticated: {
    number: 'E0002',
    code: 'UNAUTHENTICATED',
    severity: 'warning',
    message: 'No valid credentials came with the request.',
    hint: 'Send "Authorization: Bearer <token>"; on this machine it is in the file "token" of the data directory that "story-portal status" names.',
  },
  denied: {
    number: 'E0003',
    code: 'DENIED',
    severity: 'warning',
    message: '{subject} may not call {tool}: {reason}',
    hint: 'Ask an administrator for a role or scope that includes it.',
  },
  notFound: {
    number: 'E0004',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'There is no {kind} {id}.',
    hint: 'List what exists, then use an id from that list.',
  },
  conflict: {
    number: 'E0005',
    code: 'CONFLICT',
    severity: 'info',
    message: '{summary}',
    hint: 'Read the current state, then decide again.',
  },
  limitExceeded: {
    number: 'E0006',
    code: 'LIMIT_EXCEEDED',
    severity: 'warning',
    message: '{summary}',
    hint: 'Wait as long as retry_after_ms says, or send less.',
  },
  unavailable: {
    number: 'E0007',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: '{what} is not available now.',
    hint: 'Try again; "story-portal doctor" says what is wrong.',
  },
  internal: {
    number: 'E0008',
    code: 'INTERNAL',
    severity: 'critical',
    message: 'Something failed on our side; it is logged under the correlation id.',
    hint: 'Report the correlation id; "story-portal logs" shows the entry.',
  },
  unknownTool: {
    number: 'E0009',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'Server {server} has no tool {tool}.',
    hint: 'Find tools with search_tools on service-hub, or list them with tools/list.',
  },
  unknownServer: {
    number: 'E0010',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'There is no server {server}.',
    hint: 'list_layers on service-hub names the servers.',
  },
  cancelled: {
    number: 'E0011',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The call was cancelled by its caller.',
    hint: 'Call again with the same idempotency_key to get the result if the work had already finished.',
  },
  versionConflict: {
    number: 'E0012',
    code: 'CONFLICT',
    severity: 'info',
    message: '{what} is at version {actual}, not {expected}.',
    hint: 'Read it again and repeat the change on the version you get.',
  },
  illegalTransition: {
    number: 'E0013',
    code: 'CONFLICT',
    severity: 'info',
    message: 'A {kind} can not go from {from} to {to}.',
    hint: 'Allowed from here: {allowed}.',
  },
  badCursor: {
    number: 'E0014',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The cursor is not one of ours, or belongs to another query.',
    hint: 'Call the list again without cursor, with the same filters for every page.',
  },
  keyReused: {
    number: 'E0015',
    code: 'CONFLICT',
    severity: 'warning',
    message: 'The idempotency_key was used before with other arguments.',
    hint: 'Use a new key for a new call; the same key only with the same arguments.',
  },
  insideTransaction: {
    number: 'E0016',
    code: 'INTERNAL',
    severity: 'critical',
    message: '{what} was used inside a transaction.',
    hint: 'A transaction awaits nothing but its own SQL; move the call before or after it.',
  },
  timedOut: {
    number: 'E0017',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: '{what} did not finish in {ms} ms.',
    hint: 'Try again, or use mode "background" and read the result later.',
  },
})

/** True for errors made by `defineErrors`; anything else is a bug or a third party's words. */
export function isStoryPortalError(error: unknown): error is StoryPortalError {
  return error instanceof StoryPortalError
}

/** The one mapping from any thrown value to what a caller sees. Unknown errors become INTERNAL without their text. */
export function toErrorBody(error: unknown, correlationId?: string): ErrorBody {
  const e = isStoryPortalError(error) ? error : errors.internal()
  const correlation_id = correlationId ?? e.correlation_id
  return {
    error: {
      code: e.code,
      number: e.number,
      message: e.message,
      hint: e.hint,
      retryable: e.retryable,
      ...(e.retry_after_ms === undefined ? {} : { retry_after_ms: e.retry_after_ms }),
      ...(correlation_id === undefined ? {} : { correlation_id }),
      ...(e.details === undefined ? {} : { details: e.details }),
    },
  }
}

/** Rebuilds the error that another server sent as a body, so that it passes through unchanged. */
export function fromErrorBody(body: ErrorBody): StoryPortalError {
  const { code, number, message, hint, retryable, retry_after_ms, correlation_id, details } = body.error
  const known = Object.hasOwn(ERROR_CODES, code)
  return new StoryPortalError(
    {
      number: number as `E${number}`,
      code: known ? code : 'INTERNAL',
      severity: 'error',
      message,
      hint,
      ...(retryable === false ? { retryable } : {}),
    },
    message,
    {
      ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
      ...(correlation_id === undefined ? {} : { correlation_id }),
      ...(details === undefined ? {} : { details }),
    },
  )
}

/** INVALID_INPUT that names every fault with its path, at most 20, and says the first. */
export function invalidBy(faults: readonly Fault[], details: ErrorDetails = {}): StoryPortalError {
  const shown = faults.slice(0, 20)
  const first = shown[0] ?? { path: '', message: 'unknown fault' }
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  const hint = faults.length === 1 && first.hint !== undefined ? { hint: first.hint } : {}
  const summary = `${first.path === '' ? '' : `${first.path} `}${first.message}${more}`
  return errors.invalidInput({ summary }, { details: { ...details, faults: shown }, ...hint })
}

/** INVALID_INPUT for one field. */
export function badInput(path: string, message: string, details?: ErrorDetails): StoryPortalError {
  return invalidBy([{ path, message }], details)
}
