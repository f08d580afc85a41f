import type { Case } from './exchange.ts'

export type Era = 'modern' | 'legacy'
export type Fields = Record<string, unknown>

export const V = 'io.modelcontextprotocol/protocolVersion'
export const CAPS = 'io.modelcontextprotocol/clientCapabilities'
export const INFO = 'io.modelcontextprotocol/clientInfo'
export const LEVEL = 'io.modelcontextprotocol/logLevel'
export const CLIENT = { name: 'comparer', version: '1' }

export const envelope = (more: Fields = {}): Fields => ({ [V]: '2026-07-28', [CAPS]: {}, [INFO]: CLIENT, ...more })

/** Headers as a client of the era sends them; a value of undefined leaves one out. */
export function headersOf(era: Era, body: Fields, more: Record<string, string | undefined> = {}): [string, string][] {
  const params = (body['params'] ?? {}) as Fields
  const standard: Record<string, string | undefined> = {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
  }
  if (era === 'modern') {
    standard['MCP-Protocol-Version'] = '2026-07-28'
    standard['Mcp-Method'] = String(body['method'])
    if (typeof params['name'] === 'string') standard['Mcp-Name'] = params['name']
  }
  return Object.entries({ ...standard, ...more }).filter((entry): entry is [string, string] => entry[1] !== undefined)
}

export function message(era: Era, method: string, params: Fields): Fields {
  const meta = era === 'modern' ? { _meta: envelope() } : {}
  return { jsonrpc: '2.0', id: 1, method, params: { ...params, ...meta } }
}

export const call = (era: Era, params: Fields): Fields => message(era, 'tools/call', params)
export const read = (era: Era, args: unknown = { value: { a: [1, 'ä'] } }): Fields =>
  call(era, { name: 'read_request', arguments: args })
export const list = (era: Era): Fields => message(era, 'tools/list', {})

export function send(name: string, era: Era, body: Fields, headers: Record<string, string | undefined> = {}): Case {
  return { name: `${era}: ${name}`, headers: headersOf(era, body, headers), body: JSON.stringify(body) }
}

/** The body with raw JSON in the place of a marker, for what JSON.stringify can't write. */
export function raw(name: string, era: Era, body: Fields, json: string): Case {
  return { name: `${era}: ${name}`, headers: headersOf(era, body), body: JSON.stringify(body).replace('"@"', json) }
}

export function withMeta(body: Fields, _meta: unknown): Fields {
  return { ...body, params: { ...(body['params'] as Fields), _meta } }
}
