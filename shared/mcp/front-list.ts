import { CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server'
import type { Caller } from '../auth/index.ts'
import type { ToolBackend } from './backend.ts'
import type { ToolDefinition } from './definition.ts'
import { MODERN_VERSION } from './front-envelope.ts'
import type { Era } from './outcome.ts'

/** One answer to `tools/list` as the SDK made it, cut where the request's id goes. */
export interface ListFrame {
  headers: Record<string, string>
  before: Buffer
  after: Buffer
}

/** Asks the SDK's handler as this caller. */
export type FetchList = (request: Request, caller: Caller) => Promise<Response>

const ID = JSON.stringify('the id of a request for a list goes here')
const ENVELOPE = { [PROTOCOL_VERSION_META_KEY]: MODERN_VERSION, [CLIENT_CAPABILITIES_META_KEY]: {} }
const HEADERS: Record<Era, Record<string, string>> = {
  modern: { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'tools/list' },
  legacy: {},
}

/**
 * The bytes of `tools/list` per era and visible set of tools. They are kept with the array that the backend lists, which is one
 * object per set of tools and none of the caller's name, token or scopes: two callers share bytes exactly when they see the same
 * tools, and a set that is forgotten or a server that is loaded anew takes its bytes along.
 */
export function listFrames(backend: ToolBackend, fetchList: FetchList) {
  const kept = new WeakMap<readonly ToolDefinition[], Partial<Record<Era, Promise<ListFrame | undefined>>>>()
  return function frameFor(era: Era, caller: Caller): Promise<ListFrame | undefined> {
    const visible = backend.list(caller)
    const known = kept.get(visible) ?? {}
    kept.set(visible, known)
    known[era] ??= produce(era, caller, fetchList).catch((error: unknown) => {
      delete known[era]
      throw error
    })
    return known[era]
  }
}

async function produce(era: Era, caller: Caller, fetchList: FetchList): Promise<ListFrame | undefined> {
  const params = era === 'modern' ? { _meta: ENVELOPE } : {}
  const body = JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(ID), method: 'tools/list', params })
  const headers = { ...HEADERS[era], 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const response = await fetchList(new Request('http://localhost/mcp', { method: 'POST', headers, body }), caller)
  const [before, after, ...more] = (await response.text()).split(ID)
  if (response.status !== 200 || before === undefined || after === undefined || more.length > 0) return undefined
  return { headers: Object.fromEntries(response.headers), before: Buffer.from(before), after: Buffer.from(after) }
}
