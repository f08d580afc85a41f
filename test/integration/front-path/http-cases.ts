import type { Case } from './exchange.ts'
import { CLIENT, type Era, headersOf, list, message, read, send } from './messages.ts'

const HEADER_VALUES: Record<string, readonly (string | undefined)[]> = {
  'Content-Type': [
    undefined,
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'text/plain',
    'application/json,x',
    '',
  ],
  Accept: [undefined, '*/*', 'application/json', 'text/event-stream', 'text/event-stream,application/json;q=0.1', ''],
  'MCP-Protocol-Version': [
    undefined,
    '2025-11-25',
    '2025-06-18',
    '2024-10-07',
    '2026-07-28',
    '2027-01-01',
    'x',
    '',
    ' 2026-07-28 ',
  ],
  'Mcp-Method': [undefined, 'tools/list', 'tools/call', 'TOOLS/CALL', '', ' tools/call'],
  'Mcp-Name': [
    undefined,
    'see_request',
    'READ_REQUEST',
    '',
    ' read_request ',
    '=?base64?cmVhZF9yZXF1ZXN0?=',
    '=?base64?!?=',
  ],
  'Mcp-Session-Id': ['s1', ''],
  'Last-Event-ID': ['e1'],
  Origin: ['http://localhost', 'https://evil.example', 'null', ''],
  Host: [
    'localhost',
    'LOCALHOST:1',
    'user@localhost',
    'localhost/x',
    'localhost?x',
    'evil.example',
    '[::1]',
    'localhost:99999',
  ],
  Authorization: ['Bearer wrong', 'Basic x', ''],
  'Content-Encoding': ['identity', 'gzip'],
  'X-Unknown': ['\u00e4', 'x'.repeat(8000)],
  Expect: ['100-continue'],
  Connection: ['close'],
}

export function headerCases(era: Era): Case[] {
  return Object.entries(HEADER_VALUES).flatMap(([header, values]) =>
    values.flatMap((value) =>
      [read(era), list(era)].map((body) =>
        send(`${body['method']} with ${header} ${JSON.stringify(value)?.slice(0, 40)}`, era, body, { [header]: value }),
      ),
    ),
  )
}

/** Each era's body with the other era's headers, and headers sent twice. */
export function mixed(era: Era): Case[] {
  const other: Era = era === 'modern' ? 'legacy' : 'modern'
  const twice = ['MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name', 'Accept', 'Content-Type'].map((header): Case => {
    const headers = headersOf(era, read(era))
    const value = headers.find(([name]) => name === header)?.[1] ?? 'x'
    return { name: `${era}: ${header} twice`, headers: [...headers, [header, value]], body: JSON.stringify(read(era)) }
  })
  const swapped = [read(era), list(era)].map((body): Case => {
    return {
      name: `${era}: ${body['method']} with headers of ${other}`,
      headers: headersOf(other, body),
      body: JSON.stringify(body),
    }
  })
  return [...twice, ...swapped]
}

export function others(era: Era): Case[] {
  const methods = [
    'ping',
    'server/discover',
    'prompts/list',
    'resources/read',
    'logging/setLevel',
    'tools/unknown',
    'initialize',
  ]
  const init = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: CLIENT }
  const one = JSON.stringify(read(era))
  const batches = ['[]', `[${one}]`, `[${one},${one}]`, `[${one},1]`, `[[${one}]]`]
  const junk = [
    '',
    ' ',
    'null',
    '1',
    '"x"',
    '{}',
    '{',
    `${one}x`,
    `${one}\n\t `,
    `\ufeff${one}`,
    `\ufeff\ufeff${one}`,
    `{"a":1}${one}`,
  ]
  const bytes = [
    Buffer.from([0x22, 0xff, 0x22]),
    Buffer.from(one, 'utf16le'),
    Buffer.concat([Buffer.from(one), Buffer.from([0xc3])]),
  ]
  const sent = (name: string, body: string | Buffer): Case => ({
    name: `${era}: ${name}`,
    headers: headersOf(era, read(era)),
    body,
  })
  const verbs = ['GET', 'DELETE', 'PUT', 'OPTIONS', 'PATCH'].map((method): Case => ({ ...sent(method, ''), method }))
  return [
    ...methods.map((method) => send(method, era, message(era, method, method === 'initialize' ? init : {}))),
    send('cancelled', era, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }),
    send('a response', era, { jsonrpc: '2.0', id: 1, result: {} }),
    ...[...batches, ...junk, ...bytes].map((body, i) => sent(`body ${i} ${body.toString().slice(0, 12)}`, body)),
    ...verbs,
    { ...sent('/v1/mcp', one), path: '/v1/mcp' },
    { ...sent('a query', one), path: '/mcp?a=b' },
    sent('an oversized body', `${one.slice(0, -1)},"x":"${'y'.repeat(1_200_000)}"}`),
    sent('the largest body', JSON.stringify(read(era, { value: 'y'.repeat(1_000_000) }))),
    sent('arguments over their limit', JSON.stringify(read(era, { value: 'y'.repeat(1_060_000) }))),
    sent('a deep body', '{"a":'.repeat(1200)),
  ]
}
