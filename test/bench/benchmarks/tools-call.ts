import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Benchmark, Measurement } from '../benchmark.ts'
import { httpLoad, type LoadOptions } from '../http-load.ts'
import { inTurn } from '../median.ts'

const CONNECTIONS = 32
const TARGET_US = 150
const NOTES = { 'tools/call': 'echo with both schemas checked, no database', 'tools/list': undefined }

interface Served {
  front: number
  sdk: number
  floor: number
  token: string
}
type Side = 'front' | 'sdk' | 'floor'
type Era = 'modern' | 'legacy'

/** CPU of the server's process per request over HTTP, 50 tools: with the front path, beside the SDK as it is and bare node:http. */
const toolsCall: Benchmark = {
  async run({ rounds, log, defer }): Promise<Measurement[]> {
    const child = fork(new URL('../call-server.ts', import.meta.url))
    defer(async () => {
      if (child.exitCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    })
    const [served] = (await once(child, 'message')) as [Served]
    const measurements: Measurement[] = []
    for (const method of ['tools/call', 'tools/list'] as const) {
      for (const era of ['modern', 'legacy'] as const) {
        log(`${method}, ${era}`)
        const request = requestText(method, era, served.token)
        const side = (name: Side, requests: number) => () =>
          cpuPerRequest(child, { port: served[name], request, requests, connections: CONNECTIONS })
        // V8 goes on optimising for more than ten thousand calls.
        for (const warm of [side('front', 15_000), side('sdk', 1500), side('floor', 5000)]) await warm()
        const us = await inTurn(rounds, {
          front: side('front', 6000),
          sdk: side('sdk', 1500),
          floor: side('floor', 15_000),
        })
        const job = `${method} over HTTP, 50 tools, ${era === 'modern' ? '2026-07-28' : 'older clients'}`
        const figure = { value: us.front, unit: 'us CPU', better: 'lower' as const, note: NOTES[method] }
        measurements.push({ ...figure, job, peer: { name: 'SDK as it is', value: us.sdk }, target: TARGET_US })
        measurements.push({
          ...figure,
          job: `${job}, beside the floor`,
          peer: { name: 'bare node:http', value: us.floor },
        })
      }
    }
    return measurements
  },
}

export default toolsCall

/** Microseconds of user and system time of the whole process: collecting garbage and reading sockets is part of a request. */
async function cpuPerRequest(child: ChildProcess, load: LoadOptions): Promise<number> {
  const before = await cpuOf(child)
  await httpLoad(load)
  return ((await cpuOf(child)) - before) / load.requests
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [us] = (await once(child, 'message')) as [number]
  return us
}

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {}, url: {} }, roots: {} },
}
const ARGUMENTS = { text: 'What is to be said, in a sentence.', count: 42, tags: ['one', 'two', 'three'], mode: 'long' }

/** The request as a client of the era sends it. */
function requestText(method: 'tools/call' | 'tools/list', era: Era, token: string): string {
  const call = method === 'tools/call' ? { name: 'echo_fields', arguments: ARGUMENTS } : {}
  const params = era === 'modern' ? { ...call, _meta: ENVELOPE } : call
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params })
  const standard = era === 'modern' ? ['MCP-Protocol-Version: 2026-07-28', `Mcp-Method: ${method}`] : []
  if (era === 'modern' && method === 'tools/call') standard.push('Mcp-Name: echo_fields')
  const head = [
    'POST /mcp HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    ...standard,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
