import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdioTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OldHttpTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { ServerManifest } from '@story-portal/shared/mcp'
import { freePortBase } from '../../tools/cli/ports.ts'
import { descendants, isAlive } from '../../tools/cli/processes.ts'
import type { Call } from './main-job.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  /** stdout as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into results freely
  json: any
}

/** One platform of its own: a data directory and a port base that nobody else has, and what is needed to end it for sure. */
export interface UnderTest {
  home: string
  base: number
  env: Record<string, string>
  cli(...args: string[]): Promise<Outcome>
  /** Processes of this home: supervisor, servers, workers. */
  processes(): number[]
  /** Runs `story-portal down`, kills what is left, removes the directory. */
  dispose(): Promise<void>
}

/** `from` is the tree whose programs are run, `home` the data directory: default this repository and a new temporary one. */
export async function underTest(
  settings: Record<string, string> = {},
  place: { from?: string; home?: string } = {},
): Promise<UnderTest> {
  const { from = root, home = mkdtempSync(path.join(os.tmpdir(), 'story-portal-e2e-')) } = place
  const base = await freePortBase('127.0.0.1')
  const env = { ...plainEnv(), STORY_PORTAL_HOME: home, STORY_PORTAL_PORT_BASE: String(base), ...settings }
  const cli = (...args: string[]) => run([path.join(from, 'tools/story-portal.js'), ...args], env, { cwd: from })
  return {
    home,
    base,
    env,
    cli,
    processes: () => processesOf(home),
    async dispose() {
      await cli('down')
      for (const pid of processesOf(home)) process.kill(pid, 'SIGKILL')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** The environment without what the test run itself was given: a platform under test sees only its own settings. */
export function plainEnv(): Record<string, string> {
  const own = /^(STORY_PORTAL_|DATABASE_URL$|REDIS_URL$|MIGRATION_DATABASE_URL$|VITEST|NODE_OPTIONS$|NODE_ENV$)/
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !own.test(entry[0]),
    ),
  )
}

export function run(
  args: string[],
  env: Record<string, string>,
  options: { cwd?: string; node?: string } = {},
): Promise<Outcome> {
  const child = spawn(options.node ?? process.execPath, args, {
    cwd: options.cwd ?? root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return outcomeOf(child)
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr, json: parse(stdout) }))
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What the supervisor's pid file and the processes' own entries name, with everything below them. */
function processesOf(home: string): number[] {
  const roots = [...pidFile(path.join(home, 'pm2', 'pm2.pid')), ...entries(path.join(home, 'run', 'processes'))]
  return [...new Set(roots.flatMap((pid) => [pid, ...descendants(pid)]))].filter(isAlive)
}

function pidFile(file: string): number[] {
  try {
    return [Number(readFileSync(file, 'utf8'))]
  } catch {
    return []
  }
}

function entries(folder: string): number[] {
  try {
    return readdirSync(folder).map((name) => Number(/-(\d+)\.json$/.exec(name)?.[1] ?? 0))
  } catch {
    return []
  }
}

export function manifests(): ServerManifest[] {
  return Object.keys(mcpJson()).map(
    (name) => JSON.parse(readFileSync(path.join(root, 'servers', name, 'tools.json'), 'utf8')) as ServerManifest,
  )
}

export function mcpJson(): Record<string, { command: string; args: string[] }> {
  return JSON.parse(readFileSync(path.join(root, '.mcp.json'), 'utf8')).mcpServers
}

/** A tool that any caller may try on an empty platform: it reads and asks for nothing. */
export function harmlessTool({ tools }: ServerManifest): string | undefined {
  return tools.find(({ annotations, inputSchema }) => {
    const required = (inputSchema['required'] as string[] | undefined) ?? []
    return annotations.readOnlyHint && required.length === 0
  })?.name
}

export type Era = 'v1' | 'v2'

export interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

/** A client of either SDK on a server of .mcp.json, by the command that is written there and nothing else. */
export async function stdioClient(server: string, env: Record<string, string>, era: Era): Promise<AnyClient> {
  const entry = mcpJson()[server]
  if (!entry) throw new Error(`.mcp.json has no ${server}`)
  const options = { ...entry, cwd: root, env, stderr: 'inherit' as const }
  if (era === 'v1') {
    const client = new OldClient({ name: 'e2e-v1', version: '1' })
    await client.connect(new OldStdioTransport(options))
    return client as unknown as AnyClient
  }
  const client = new Client({ name: 'e2e-v2', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StdioClientTransport(options))
  return client as unknown as AnyClient
}

/** What the programs of this home prove themselves with. */
export function tokenOf({ home }: UnderTest): string {
  return readFileSync(path.join(home, 'token'), 'utf8').trim()
}

/** A client of either SDK on a server's port, with the token of the home. */
export async function httpClient(it: UnderTest, port: number, era: Era): Promise<AnyClient> {
  const url = new URL(`http://127.0.0.1:${it.base + port}/mcp`)
  const requestInit = { headers: { Authorization: `Bearer ${tokenOf(it)}` } }
  if (era === 'v1') {
    const client = new OldClient({ name: 'e2e-v1', version: '1' })
    await client.connect(new OldHttpTransport(url, { requestInit }) as never)
    return client as unknown as AnyClient
  }
  const client = new Client({ name: 'e2e-v2', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }))
  return client as unknown as AnyClient
}

export interface Answer {
  isError?: boolean
  structuredContent?: Record<string, unknown>
  content: { text: string }[]
}

/** Calls by server name over one client each; an error result rejects with the error body. */
export function callOver(clients: Record<string, AnyClient>): Call {
  return async (server, tool, args) => {
    const client = clients[server]
    if (!client) throw new Error(`no client for ${server}`)
    const answer = (await client.callTool({ name: tool, arguments: args })) as Answer
    if (answer.isError) throw new Error(`${server}.${tool}: ${answer.content[0]?.text}`)
    return answer.structuredContent ?? {}
  }
}
