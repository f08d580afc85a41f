import type { IncomingHttpHeaders } from 'node:http'
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import { canBeAsked } from './ask-person.ts'
import type { ToolBackend } from './backend.ts'
import { readSession } from './client-session.ts'
import { isSoundEnvelope } from './front-envelope.ts'
import { SESSION_HEADER } from './http-cancel.ts'
import type { Era } from './outcome.ts'

/** A request the front path may answer: everything about it is known to mean what the SDK would take it to mean. */
export interface FrontPlan {
  era: Era
  id: string | number
  /** Undefined for `tools/list`. */
  tool: string | undefined
  args: Record<string, unknown> | undefined
  clientName: string | undefined
  traceparent: string | undefined
}

type Fields = Readonly<Record<string, unknown>>

/** One request taken apart; what is missing or of another type is an empty object, so that every check can look anywhere. */
export interface FrontRequest {
  headers: IncomingHttpHeaders
  message: Fields
  params: Fields
  meta: Fields
  era: Era
  hasTool(name: string): boolean
  mayAsk(name: string): boolean
}

export interface FrontCheck {
  /** Label of the slow requests in /metrics. */
  reason: string
  passes(request: FrontRequest): boolean
}

const MESSAGE_KEYS = new Set(['jsonrpc', 'id', 'method', 'params'])
const PARAMS_KEYS: Record<string, ReadonlySet<string>> = {
  'tools/call': new Set(['name', 'arguments', '_meta']),
  'tools/list': new Set(['_meta']),
}
const TRACE_KEYS = ['traceparent', 'tracestate', 'progressToken']
const META_KEYS: Record<Era, ReadonlySet<string>> = {
  modern: new Set([PROTOCOL_VERSION_META_KEY, CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, ...TRACE_KEYS]),
  legacy: new Set(TRACE_KEYS),
}
const OLD_VERSIONS = new Set(SUPPORTED_PROTOCOL_VERSIONS)
/** The SDK builds a URL from it: with a user name, a path or a query in it that means something else. */
const PLAIN_HOST = /^[\w.:[\]-]+$/

const isCall = ({ message }: FrontRequest): boolean => message['method'] === 'tools/call'

/**
 * What must hold for the front path to say yes, each an allow-list or an exact comparison; whatever fails one is the SDK's, which
 * serves it or words the refusal. The tests take out each in turn and must notice.
 */
export const FRONT_CHECKS: FrontCheck[] = [
  { reason: 'method', passes: (r) => isCall(r) || r.message['method'] === 'tools/list' },
  { reason: 'jsonrpc', passes: (r) => r.message['jsonrpc'] === '2.0' },
  { reason: 'message_keys', passes: (r) => hasOnly(r.message, MESSAGE_KEYS) },
  { reason: 'id', passes: ({ message: { id } }) => typeof id === 'string' || Number.isSafeInteger(id) },
  { reason: 'params', passes: (r) => isAbsentOrObject(r.message, 'params') },
  { reason: 'params_keys', passes: (r) => hasOnly(r.params, PARAMS_KEYS[String(r.message['method'])]) },
  { reason: 'meta', passes: (r) => isAbsentOrObject(r.params, '_meta') },
  { reason: 'meta_keys', passes: (r) => hasOnly(r.meta, META_KEYS[r.era]) },
  // A call that wants to hear of its progress needs a stream.
  { reason: 'progress', passes: (r) => !Object.hasOwn(r.meta, 'progressToken') },
  {
    reason: 'tool',
    passes: (r) => !isCall(r) || (typeof r.params['name'] === 'string' && r.hasTool(r.params['name'])),
  },
  // A person may have to be asked through a client that can be: that takes more than one answer.
  { reason: 'asks', passes: (r) => !isCall(r) || !r.mayAsk(String(r.params['name'])) || !isAskable(r) },
  { reason: 'arguments', passes: (r) => isAbsentOrObject(r.params, 'arguments') },
  // The SDK drops a `__proto__` among the arguments; passed on, ours would refuse it.
  { reason: 'proto', passes: (r) => !Object.hasOwn(asFields(r.params['arguments']), '__proto__') },
  { reason: 'host', passes: (r) => PLAIN_HOST.test(r.headers.host ?? '') },
  { reason: 'content_type', passes: (r) => r.headers['content-type'] === 'application/json' },
  { reason: 'accept', passes: (r) => r.era === 'modern' || acceptsBoth(r.headers.accept ?? '') },
  { reason: 'version', passes: hasRightVersion },
  {
    reason: 'method_header',
    passes: (r) => r.era === 'legacy' || r.headers['mcp-method'] === r.message['method'],
  },
  {
    reason: 'name_header',
    passes: (r) => r.era === 'legacy' || !isCall(r) || r.headers['mcp-name'] === r.params['name'],
  },
  { reason: 'envelope', passes: (r) => r.era === 'legacy' || isSoundEnvelope(r.meta) },
]

function isAskable({ era, headers, meta }: FrontRequest): boolean {
  if (era === 'modern') return canBeAsked(asFields(meta[CLIENT_CAPABILITIES_META_KEY])['elicitation'])
  return canBeAsked(readSession(headers[SESSION_HEADER])?.initialize.capabilities.elicitation)
}

/** The plan for a parsed body, or the reason why the SDK must see it. */
export function planFront(
  body: unknown,
  headers: IncomingHttpHeaders,
  { has: hasTool, mayAsk = () => false }: Pick<ToolBackend, 'has' | 'mayAsk'>,
): FrontPlan | string {
  const message = asFields(body)
  const params = asFields(message['params'])
  const meta = asFields(params['_meta'])
  const era: Era = Object.hasOwn(meta, PROTOCOL_VERSION_META_KEY) ? 'modern' : 'legacy'
  const request: FrontRequest = { headers, message, params, meta, era, hasTool, mayAsk }
  for (const check of FRONT_CHECKS) if (!check.passes(request)) return check.reason
  const { traceparent } = meta
  return {
    era,
    id: message['id'] as string | number,
    tool: isCall(request) ? (params['name'] as string) : undefined,
    args: params['arguments'] as Record<string, unknown> | undefined,
    clientName: era === 'modern' ? (asFields(meta[CLIENT_INFO_META_KEY])['name'] as string | undefined) : undefined,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  }
}

function hasRightVersion({ era, headers, meta }: FrontRequest): boolean {
  const given = headers['mcp-protocol-version']
  if (era === 'modern') return given === meta[PROTOCOL_VERSION_META_KEY]
  return given === undefined || (typeof given === 'string' && OLD_VERSIONS.has(given))
}

function acceptsBoth(accept: string): boolean {
  return accept.includes('application/json') && accept.includes('text/event-stream')
}

function hasOnly(fields: Fields, allowed: ReadonlySet<string> | undefined): boolean {
  for (const key of Object.keys(fields)) if (!allowed?.has(key)) return false
  return true
}

const NOTHING: Fields = Object.freeze(Object.create(null))

function isAbsentOrObject(holder: Fields, key: string): boolean {
  return !Object.hasOwn(holder, key) || isObject(holder[key])
}

function asFields(value: unknown): Fields {
  return isObject(value) ? value : NOTHING
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
