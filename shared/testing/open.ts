import { Client } from '@modelcontextprotocol/client'
import { type CallToolResult, InMemoryTransport } from '@modelcontextprotocol/server'
import { type Caller, localUser } from '../auth/index.ts'
import { createCacheServices } from '../cache/index.ts'
import type { Config } from '../config/index.ts'
import { loadConfig } from '../config/index.ts'
import type { Db } from '../db/index.ts'
import type { ErrorBody } from '../errors/index.ts'
import { createJobs } from '../jobs/index.ts'
import { createHost, type Host, type LoadedServer, loadServer, localBackend, serveConnection } from '../mcp/index.ts'
import { createLogger } from '../telemetry/index.ts'
import { testDatabase, testTenant } from './database.ts'

export interface OpenOptions {
  /** Other servers in the same process, for tools that call them. */
  with?: readonly string[]
  /** Parts of the caller; the tenant is fresh for each `open` unless given here. */
  caller?: Partial<Caller>
  /** The time that `ctx.now()` tells. */
  clock?: () => Date
  /** Starts the servers' jobs and the job queue. */
  start?: boolean
  db?: Db
  config?: Partial<Config>
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into results freely; the definitions are checked by the client
type Loose = any

export interface Opened {
  /** The tool's structured result; throws the tool's error body when the call fails. */
  call(tool: string, args?: object, options?: CallClientOptions): Promise<Loose>
  /** The error body's `error` of a call that must fail; throws when it succeeds. */
  callError(tool: string, args?: object, options?: CallClientOptions): Promise<ErrorBody['error']>
  /** Calls a tool of another server of this host, as the same caller. */
  callOn(server: string, tool: string, args?: object): Promise<Loose>
  client: Client
  host: Host
  tenant: string
  caller: Caller
  close(): Promise<void>
}

export interface CallClientOptions {
  signal?: AbortSignal
  onprogress?: (progress: { progress: number; total?: number; message?: string }) => void
}

const loaded = new Map<string, Promise<LoadedServer>>()
const opened: { close(): Promise<void> }[] = []

/** A real in-memory MCP client of the current protocol on a real server, its own tenant on the worker's database. */
export async function open(server: string | LoadedServer, options: OpenOptions = {}): Promise<Opened> {
  const main = typeof server === 'string' ? await load(server) : server
  const servers = [main, ...(await Promise.all((options.with ?? []).map(load)))]
  const caller: Caller = {
    ...localUser({ surface: 'test', name: 'vitest' }),
    tenant_id: testTenant(),
    ...options.caller,
  }
  const host = await openHost(servers, options)
  const client = await connect(host, main, caller)
  const result: Opened = {
    async call(tool, args = {}, callOptions = {}) {
      const answer = await callTool(client, tool, args, callOptions)
      if (answer.isError) throw new ToolFailed(tool, answer.structuredContent as unknown as ErrorBody)
      return answer.structuredContent
    },
    async callError(tool, args = {}, callOptions = {}) {
      const answer = await callTool(client, tool, args, callOptions)
      if (!answer.isError)
        throw new Error(`${tool} was expected to fail; it answered ${JSON.stringify(answer.structuredContent)}`)
      return (answer.structuredContent as unknown as ErrorBody).error
    },
    callOn: (other, tool, args = {}) => host.call(other, tool, args, { caller }),
    client,
    host,
    tenant: caller.tenant_id,
    caller,
    async close() {
      await client.close()
      await host.close()
    },
  }
  opened.push(result)
  return result
}

/** Closes everything `open` opened in this file; vitest.setup calls it after each file. */
export async function closeOpened(): Promise<void> {
  await Promise.all(opened.splice(0).map((one) => one.close()))
}

/** What `call` throws: reads as the error body in a failed test's output. */
export class ToolFailed extends Error {
  readonly body: ErrorBody

  constructor(tool: string, body: ErrorBody) {
    super(`${tool} failed: ${JSON.stringify(body.error)}`)
    this.name = 'ToolFailed'
    this.body = body
  }
}

function load(name: string): Promise<LoadedServer> {
  const known = loaded.get(name)
  if (known) return known
  const loading = loadServer(new URL(`../../servers/${name}/`, import.meta.url))
  loaded.set(name, loading)
  return loading
}

async function openHost(servers: readonly LoadedServer[], options: OpenOptions): Promise<Host> {
  const db = options.db ?? (await testDatabase())
  const log = createLogger({ name: 'test', level: (process.env['TEST_LOG_LEVEL'] as 'silent' | undefined) ?? 'silent' })
  const config = { ...testConfig(), ...options.config }
  const services = await createCacheServices({ config, db, log })
  const jobs = createJobs({ db, log, config })
  // The database belongs to the worker, not to this host.
  const shared: Db = {
    ...db,
    tx: db.tx.bind(db),
    listen: db.listen.bind(db),
    health: db.health.bind(db),
    close: async () => {},
  }
  const host = createHost({
    config,
    servers,
    db: shared,
    services,
    jobs,
    log,
    ...(options.clock === undefined ? {} : { now: options.clock }),
  })
  if (options.start) await host.start()
  return host
}

function testConfig(): Config {
  return loadConfig({ env: {}, root: new URL('../../', import.meta.url).pathname })
}

async function connect(host: Host, server: LoadedServer, caller: Caller): Promise<Client> {
  const [here, there] = InMemoryTransport.createLinkedPair()
  serveConnection(localBackend(host, server), caller, there, () => {})
  const client = new Client({ name: 'vitest', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(here)
  return client
}

async function callTool(
  client: Client,
  name: string,
  args: object,
  options: CallClientOptions,
): Promise<CallToolResult> {
  return (await client.callTool({ name, arguments: { ...args } }, options)) as CallToolResult
}
