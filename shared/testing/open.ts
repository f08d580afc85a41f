import { Client } from '@modelcontextprotocol/client'
import { type CallToolResult, InMemoryTransport } from '@modelcontextprotocol/server'
import { afterAll } from 'vitest'
import { type Caller, localUser } from '../auth/index.ts'
import { createCacheServices } from '../cache/index.ts'
import type { Config } from '../config/index.ts'
import type { Db } from '../db/index.ts'
import type { ErrorBody } from '../errors/index.ts'
import { createJobs, type Jobs } from '../jobs/index.ts'
import { createHost, type Host, type LoadedServer, loadServer, localBackend, serveConnection } from '../mcp/index.ts'
import { createLogger, type Logger } from '../telemetry/index.ts'
import { type TestDatabase, testDatabase, testTenant } from './database.ts'

export interface OpenOptions {
  /** Other servers in the same process, for tools that call them. */
  with?: readonly string[]
  /** Parts of the caller; the tenant is fresh for each `open` unless given here. */
  caller?: Partial<Caller>
  /** The time that `ctx.now()` tells. */
  clock?: () => Date
  /** Starts the servers' jobs and the job queue. */
  start?: boolean
  /** Default: one database for all tests of the file. */
  db?: TestDatabase
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
  /** For looking behind the tools, and `db.advance(ms)` for leases and retries. */
  db: TestDatabase
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
    tenant_id: testTenant().tenant_id,
    ...options.caller,
  }
  const db = options.db ?? (await fileDatabase())
  const host = await openHost(servers, db, options)
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
    db,
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

let sharedDatabase: Promise<TestDatabase> | undefined

/** One database for all tests of a file; their tenants keep them apart. */
export function fileDatabase(): Promise<TestDatabase> {
  sharedDatabase ??= testDatabase()
  return sharedDatabase
}

afterAll(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
  await (await sharedDatabase)?.close()
})

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

async function openHost(servers: readonly LoadedServer[], db: TestDatabase, options: OpenOptions): Promise<Host> {
  const config = { ...db.config, ...options.config }
  const log = createLogger({
    name: 'test',
    level: process.env['STORY_PORTAL_TEST_LOG'] === undefined ? 'silent' : 'debug',
  })
  const services = await createCacheServices({ config, db, log })
  const jobs = await openJobs(db, log, options.start ?? false)
  const clock = options.clock === undefined ? {} : { now: options.clock }
  const host = await createHost({ config, servers, db: lent<Db>(db, 'close'), services, jobs, log, ...clock })
  if (options.start) await host.start()
  return host
}

/** Something that outlives the host, because other tests of the file use it too: the host's closing it does nothing. */
function lent<T extends object>(thing: T, ending: keyof T): T {
  return new Proxy(thing, {
    get(target, name) {
      if (name === ending) return async () => {}
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
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
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return (await client.callTool({ name, arguments: { ...args } }, given)) as CallToolResult
}

const idleJobs = new WeakMap<Db, Promise<Jobs>>()

/** A host that works on jobs has a queue of its own; those that only add some share the database's. */
async function openJobs(db: Db, log: Logger, start: boolean): Promise<Jobs> {
  if (start) return createJobs({ db, log, poll_ms: 200 })
  const shared = idleJobs.get(db) ?? createJobs({ db, log })
  idleJobs.set(db, shared)
  return lent(await shared, 'stop')
}
