import { randomBytes } from 'node:crypto'
import type { CacheServices } from '../cache/index.ts'
import type { Config } from '../config/index.ts'
import type { Db } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import type { Jobs } from '../jobs/index.ts'
import { createMetrics, type Logger, type Metrics } from '../telemetry/index.ts'
import { visibleTools } from './backend.ts'
import type { ToolDefinition } from './definition.ts'
import type { Host, HostCallOptions, LayerStatus, LoadedServer } from './host.ts'
import { type PipelineHost, runTool } from './pipeline.ts'
import { suggest } from './suggest.ts'

export interface HostOptions {
  config: Config
  servers: readonly LoadedServer[]
  db: Db
  services: CacheServices
  jobs: Jobs
  log: Logger
  metrics?: Metrics
  now?: () => Date
  /** Servers of the suite that other processes host. */
  others?: OtherServers
  /** Closed with the host, after everything that uses it, in this order. */
  owned?: readonly { close(): Promise<void> }[]
}

/** The servers that are not in this process: how to call them and what they say about themselves. */
export interface OtherServers {
  names(): readonly string[]
  call(server: string, tool: string, args: unknown, options: HostCallOptions): Promise<Record<string, unknown>>
  definitions(server: string): Promise<readonly ToolDefinition[]>
  status(server: string): Promise<LayerStatus>
}

/** The synchronous body of `createHost`. */
export function assembleHost(options: HostOptions): PipelineHost {
  const { config, db, services, jobs, log, others } = options
  const servers = new Map(options.servers.map((server) => [server.name, server]))
  const metrics = options.metrics ?? createMetrics()
  const flight = trackCalls(metrics)
  const cutOff = new AbortController()
  const running: { stop(): Promise<void> }[] = []
  let started = false
  let draining = false
  let closing: Promise<void> | undefined

  const host: PipelineHost = {
    config,
    db,
    cache: services.cache,
    limiter: services.limiter,
    bus: services.bus,
    jobs,
    log,
    metrics,
    boot_id: `boot_${randomBytes(10).toString('hex')}`,
    servers,
    cutOff: cutOff.signal,
    enter: flight.enter,
    idle: flight.idle,
    get draining() {
      return draining
    },
    now: options.now ?? (() => new Date()),
    async call(server, tool, args, callOptions) {
      const hosted = servers.get(server)
      if (hosted) return runTool(host, hosted, tool, args, callOptions)
      if (others?.names().includes(server)) return others.call(server, tool, args, callOptions)
      throw unknownServer(server, [...servers.keys(), ...(others?.names() ?? [])])
    },
    async definitions(server, caller) {
      const hosted = servers.get(server)
      if (hosted) return visibleTools(hosted, caller)
      if (others?.names().includes(server)) return others.definitions(server)
      throw unknownServer(server, [...servers.keys(), ...(others?.names() ?? [])])
    },
    async layers() {
      const readiness = await host.ready()
      const here = [...servers.values()].map((server) => layerOf(server, readiness))
      const elsewhere = (others?.names() ?? []).filter((name) => !servers.has(name))
      const rows = [...here, ...(await Promise.all(elsewhere.map((name) => others?.status(name))))]
      return rows.filter((row) => row !== undefined).sort((a, b) => a.port - b.port)
    },
    async start() {
      await jobs.start()
      for (const job of [...servers.values()].flatMap((server) => server.jobs)) running.push(await job.start(host))
      started = true
    },
    ready: () => readiness(host, started),
    close() {
      closing ??= shutDown()
      return closing
    },
  }

  const shutDown = async (): Promise<void> => {
    draining = true
    const stopping = Promise.allSettled(running.map((job) => job.stop()))
    await within(Promise.all([flight.idle(), stopping]), config.mcp.drainMs)
    cutOff.abort(errors.unavailable({ what: 'This process' }))
    for (const outcome of await stopping)
      if (outcome.status === 'rejected') log.error({ err: outcome.reason }, 'a job did not stop')
    await within(flight.idle(), 2_000)
    for (const close of [
      () => jobs.stop(),
      () => services.close(),
      () => db.close(),
      ...(options.owned ?? []).map((part) => () => part.close()),
    ]) {
      await close().catch((error: unknown) => log.error({ err: error }, 'a part did not close'))
    }
  }
  return host
}

function layerOf(server: LoadedServer, readiness: { ok: boolean; reasons: string[] }): LayerStatus {
  const { name, layer, port, title, summary, version, tools } = server
  const state = readiness.ok ? 'ready' : 'not_ready'
  const row: LayerStatus = {
    server: name,
    layer,
    port,
    title,
    summary,
    version,
    hosted: 'here',
    state,
    tools: tools.size,
  }
  return readiness.ok ? row : { ...row, reasons: readiness.reasons }
}

async function readiness(host: Host, started: boolean): Promise<{ ok: boolean; reasons: string[] }> {
  const reasons: string[] = []
  if (!started) reasons.push('starting')
  if (host.draining) reasons.push('shutting down')
  const health = await host.db.health().catch(() => undefined)
  if (!health?.ok) reasons.push(health?.reason ?? 'the database does not answer')
  else if (health.migrations.pending.length > 0)
    reasons.push(`${health.migrations.pending.length} migrations are missing`)
  return { ok: reasons.length === 0, reasons }
}

function trackCalls(metrics: Metrics) {
  let count = 0
  let waiting: (() => void)[] = []
  return {
    enter(server: string): () => void {
      count += 1
      metrics.inFlight(server, 1)
      return () => {
        count -= 1
        metrics.inFlight(server, -1)
        if (count > 0) return
        for (const wake of waiting) wake()
        waiting = []
      }
    },
    idle(): Promise<void> {
      return count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))
    },
  }
}

/** Waits for `work`, but no longer than `ms`. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

function unknownServer(server: string, known: readonly string[]) {
  const near = suggest(server, known)
  return errors.unknownServer({ server }, near === undefined ? {} : { hint: `Did you mean ${near}?` })
}
