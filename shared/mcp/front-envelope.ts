import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  classifyInboundRequest,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server'

/** The one revision of the newer era that the front path knows; the SDK does not export its list. */
export const MODERN_VERSION = '2026-07-28'

/** A client sends the same envelope with every request; with more of them at once all are forgotten and judged again. */
const MAX_ENVELOPES = 256
const verdicts = new Map<string, boolean>()
const ENVELOPE_KEYS = [PROTOCOL_VERSION_META_KEY, CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY]
const MAX_CACHED_CHARS = 4096

/** Whether the SDK accepts the envelope of a 2026-07-28 request: its verdict, remembered by the envelope's JSON text. */
export function isSoundEnvelope(meta: Readonly<Record<string, unknown>>): boolean {
  if (meta[PROTOCOL_VERSION_META_KEY] !== MODERN_VERSION) return false
  const envelope: Record<string, unknown> = {}
  for (const key of ENVELOPE_KEYS) if (Object.hasOwn(meta, key)) envelope[key] = meta[key]
  const text = JSON.stringify(envelope)
  if (text.length > MAX_CACHED_CHARS) return false
  // A number too large for JSON.parse is written as null and would share the verdict of a true null.
  const cacheable = !text.includes('null')
  const known = cacheable ? verdicts.get(text) : undefined
  if (known !== undefined) return known
  const body = { jsonrpc: '2.0', id: 0, method: 'tools/list', params: { _meta: envelope } }
  const verdict = classifyInboundRequest({ httpMethod: 'POST', body }).kind === 'modern'
  if (verdicts.size >= MAX_ENVELOPES) verdicts.clear()
  if (cacheable) verdicts.set(text, verdict)
  return verdict
}
