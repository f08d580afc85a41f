import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { freePortBase } from '../../../tools/cli/ports.ts'
import { callOver, httpClient, underTest } from '../../e2e/under-test.ts'
import { installPackage } from '../../install-package.ts'
import type { Benchmark, BenchmarkContext, Measurement } from '../benchmark.ts'
import { inTurn, quantile } from '../median.ts'

const TESTS = path.join(import.meta.dirname, '../..')
const EVERYTHING = path.join(TESTS, 'upstreams/node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const MCP_HUB = path.join(TESTS, 'bridges/node_modules/mcp-hub/dist/cli.js')
const SUPERGATEWAY = path.join(TESTS, 'bridges/node_modules/supergateway/dist/index.js')
/** Its port above the platform's base. */
const TOOL_EXECUTION = 3
const CALLS = 100
const STARTS_WITHIN_MS = 20_000

type Echo = () => Promise<unknown>

/** One tool of one stdio server, called through each gateway over loopback; all of them hold its process open. */
const bridgedCall: Benchmark = {
  async run(context): Promise<Measurement[]> {
    for (const name of ['upstreams', 'bridges']) await installPackage(path.join(TESTS, name), context.log)
    const sides = {
      direct: await direct(context),
      ours: await ours(context),
      hub: await mcpHub(context),
      gateway: await supergateway(context),
    }
    const ms = await inTurn(context.rounds, {
      direct: () => p50(sides.direct),
      ours: () => p50(sides.ours),
      hub: () => p50(sides.hub),
      gateway: () => p50(sides.gateway),
    })
    const row = { value: ms.ours, unit: 'ms', better: 'lower' } as const
    const note = 'HTTP, intent and result are committed; mcp-hub over SSE, supergateway over HTTP, nothing is kept'
    return [
      { job: 'bridged upstream call, p50', ...row, peer: { name: 'mcp-hub', value: ms.hub }, note },
      { job: 'bridged upstream call, p50', ...row, peer: { name: 'supergateway', value: ms.gateway }, note },
      { job: 'bridged upstream call, p50', ...row, peer: { name: 'the server itself, stdio', value: ms.direct }, note },
    ]
  },
}

export default bridgedCall

async function p50(echo: Echo): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now()
    const answer = JSON.stringify(await echo())
    times.push(performance.now() - start)
    if (!answer.includes('Echo: hello')) throw new Error(`not an echo: ${answer.slice(0, 300)}`)
  }
  return quantile(times, 0.5)
}

async function connected(context: BenchmarkContext, transport: () => Transport): Promise<Client> {
  const until = performance.now() + STARTS_WITHIN_MS
  for (;;) {
    const client = new Client({ name: 'bench', version: '1.0.0' })
    try {
      await client.connect(transport())
      context.defer(() => client.close())
      return client
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(200)
    }
  }
}

/** The echo of a gateway's client, once the gateway lists it. */
async function echoOf(client: Client): Promise<Echo> {
  const until = performance.now() + STARTS_WITHIN_MS
  for (;;) {
    const { tools } = await client.listTools()
    const name = tools.find((tool) => /(^|_)echo$/.test(tool.name))?.name
    if (name !== undefined) return () => client.callTool({ name, arguments: { message: 'hello' } })
    if (performance.now() > until) throw new Error('no echo is listed')
    await sleep(200)
  }
}

async function direct(context: BenchmarkContext): Promise<Echo> {
  const server = { command: process.execPath, args: [EVERYTHING, 'stdio'], stderr: 'ignore' as const }
  return echoOf(await connected(context, () => new StdioClientTransport(server)))
}

async function ours(context: BenchmarkContext): Promise<Echo> {
  const platform = await underTest()
  context.defer(() => platform.dispose())
  const { code, stderr } = await platform.cli('up')
  if (code !== 0) throw new Error(`the platform does not start: ${stderr}`)
  const client = await httpClient(platform, TOOL_EXECUTION, 'v2')
  context.defer(() => client.close())
  const call = callOver({ 'tool-execution': client })
  const transport = { type: 'stdio', command: process.execPath, args: [EVERYTHING, 'stdio'] }
  await call('tool-execution', 'connect_mcp_server', { name: 'everything', transport })
  return () => call('tool-execution', 'invoke_tool', { tool: 'everything_echo', arguments: { message: 'hello' } })
}

async function mcpHub(context: BenchmarkContext): Promise<Echo> {
  const home = mkdtempSync(path.join(tmpdir(), 'mcp-hub-'))
  const config = path.join(home, 'servers.json')
  const everything = { command: process.execPath, args: [EVERYTHING, 'stdio'] }
  writeFileSync(config, JSON.stringify({ mcpServers: { everything } }))
  const port = await freePortBase('127.0.0.1')
  start(context, [MCP_HUB, '--port', String(port), '--config', config], home)
  context.defer(async () => rmSync(home, { recursive: true, force: true }))
  return echoOf(await connected(context, () => new SSEClientTransport(new URL(`http://127.0.0.1:${port}/mcp`))))
}

async function supergateway(context: BenchmarkContext): Promise<Echo> {
  const port = await freePortBase('127.0.0.1')
  const output = ['--outputTransport', 'streamableHttp', '--stateful', '--port', String(port), '--logLevel', 'none']
  start(context, [SUPERGATEWAY, '--stdio', `${process.execPath} ${EVERYTHING} stdio`, ...output], tmpdir())
  const url = new URL(`http://127.0.0.1:${port}/mcp`)
  return echoOf(await connected(context, () => new StreamableHTTPClientTransport(url)))
}

/** In a group of its own, so that what it starts ends with it; what it keeps goes to a folder of its own. */
function start(context: BenchmarkContext, args: string[], home: string): ChildProcess {
  const env = { PATH: process.env['PATH'], HOME: home }
  const child = spawn(process.execPath, args, { env, detached: true, stdio: 'ignore' })
  context.defer(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  })
  return child
}
