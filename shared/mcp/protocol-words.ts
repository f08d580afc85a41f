import { ProtocolError, ProtocolErrorCode, specTypeSchemas } from '@modelcontextprotocol/server'
import { errors, type Fault, safeText, toErrorBody } from '../errors/index.ts'
import { mcpErrors } from './errors.ts'

const REQUESTS: Record<string, keyof typeof specTypeSchemas> = {
  initialize: 'InitializeRequest',
  'tools/call': 'CallToolRequest',
  'tools/list': 'ListToolsRequest',
  'resources/list': 'ListResourcesRequest',
  'resources/templates/list': 'ListResourceTemplatesRequest',
  'resources/read': 'ReadResourceRequest',
  'prompts/list': 'ListPromptsRequest',
  'prompts/get': 'GetPromptRequest',
}
const MAX_FAULTS = 20
/** How the SDK begins each of its refusals of the envelope; what follows are its validator's words. */
const BAD_ENVELOPE = 'Invalid _meta envelope'

/**
 * What a handler of the SDK failed with, as a caller may read it. The SDK checks params before our handler runs and puts its
 * validator's text, and for most methods -32603, into the refusal; the caller gets -32602, the paths and our body instead.
 */
export function handlerRefusal(method: string, request: unknown, error: unknown): ProtocolError {
  const sdk = error instanceof ProtocolError ? error : undefined
  // Ours, or a fixed text of the SDK with data for programs.
  if (sdk !== undefined && (sdk.code !== ProtocolErrorCode.InvalidParams || sdk.data !== undefined)) return sdk
  const faults = paramsFaults(method, request)
  if (sdk === undefined && faults.length === 0) {
    const body = toErrorBody(errors.internal({}, { cause: error }))
    return new ProtocolError(ProtocolErrorCode.InternalError, body.error.message, body)
  }
  return invalidParams(method, faults)
}

interface ErrorAnswer {
  error: { code: number; message: string; data?: unknown }
}

/** An answer that the SDK makes before any server object exists: its refusal of an envelope in our words, others as they are. */
export function plainAnswer<T>(answer: T): T {
  if (!isErrorAnswer(answer) || !answer.error.message.startsWith(BAD_ENVELOPE)) return answer
  const { envelope } = (answer.error.data ?? {}) as { envelope?: { key?: unknown } }
  const key = typeof envelope?.key === 'string' ? envelope.key : ''
  const path = key === '' ? 'params._meta' : `params._meta.${safeText(key, 100)}`
  const { code, message, data } = invalidParams('this request', [{ path, message: 'is missing or of the wrong type' }])
  return { ...answer, error: { code, message, data: { ...(data as object), envelope: { key } } } }
}

function isErrorAnswer(answer: unknown): answer is ErrorAnswer {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return false
  const { error } = answer
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
}

function invalidParams(method: string, faults: Fault[]): ProtocolError {
  const body = toErrorBody(mcpErrors.badParams({ method }, { details: { faults } }))
  return new ProtocolError(ProtocolErrorCode.InvalidParams, body.error.message, body)
}

/** Where the params are not those of the method; the validator's own text is left behind. */
function paramsFaults(method: string, request: unknown): Fault[] {
  const name = REQUESTS[method]
  if (name === undefined) return []
  const checked = specTypeSchemas[name]['~standard'].validate(request)
  if (checked instanceof Promise || checked.issues === undefined) return []
  return checked.issues.slice(0, MAX_FAULTS).map(({ path = [] }) => ({
    path: path.map((key) => safeText(String(typeof key === 'object' ? key.key : key), 60)).join('.'),
    message: 'is missing or of the wrong type',
  }))
}
