import type { Caller } from '../auth/index.ts'
import type { Cache, EventBus, RateLimiter } from '../cache/index.ts'
import type { Config } from '../config/index.ts'
import type { Db } from '../db/index.ts'
import type { Jobs } from '../jobs/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import type { AnyTool, CallOptions, JobDefinition, ServerDefinition } from './define.ts'
import type { ToolDefinition } from './definition.ts'
import type { PromptDefinition } from './prompts.ts'
import type { ResourceDefinition } from './resources.ts'

/** A server folder, loaded: declaration, version from package.json, tools from tools/*.ts, jobs from jobs/*.ts, and so on. */
export interface LoadedServer extends ServerDefinition {
  name: string
  version: string
  /** By tool name; aliases resolve through `tool()`. */
  tools: ReadonlyMap<string, AnyTool>
  tool(name: string): AnyTool | undefined
  jobs: readonly JobDefinition[]
  resources: readonly ResourceDefinition[]
  prompts: readonly PromptDefinition[]
}

/** One process: the servers it hosts and everything they share. */
export interface Host {
  readonly config: Config
  readonly db: Db
  readonly cache: Cache
  readonly limiter: RateLimiter
  readonly bus: EventBus
  readonly jobs: Jobs
  readonly log: Logger
  readonly metrics: Metrics
  /** This process's id for leases: new at every start. */
  readonly boot_id: string
  readonly servers: ReadonlyMap<string, LoadedServer>
  /** True from the moment `close` was called: calls from outside are refused, those in flight finish. */
  readonly draining: boolean
  now(): Date
  /** Runs one tool through the pipeline; rejects with a StoryPortalError. Over HTTP when another process hosts the server. */
  call(server: string, tool: string, args: unknown, options: HostCallOptions): Promise<Record<string, unknown>>
  /** Every server of the suite that this process knows of, hosted here or elsewhere, with what it answers now. */
  layers(): Promise<LayerStatus[]>
  /** What the caller may see of a server's tools, hosted here or elsewhere; throws NOT_FOUND for an unknown server. */
  definitions(server: string, caller: Caller): Promise<readonly ToolDefinition[]>
  /** Starts jobs of the hosted servers. */
  start(): Promise<void>
  /** True once started and until draining, the database reachable and migrated. */
  ready(): Promise<{ ok: boolean; reasons: string[] }>
  /** Resolves as soon as no call runs. */
  idle(): Promise<void>
  /** Refuses new calls, waits for those in flight up to the drain limit, stops jobs, closes everything. */
  close(): Promise<void>
}

export interface HostCallOptions extends CallOptions {
  caller: Caller
  correlation_id?: string
  traceparent?: string
  deadline?: number
}

/** One row of `list_layers`. */
export interface LayerStatus {
  server: string
  port: number
  layer: string
  title: string
  summary: string
  /** Where its tools run: in this process or at `url`. */
  hosted: 'here' | 'elsewhere'
  url?: string
  state: 'ready' | 'not_ready' | 'unreachable'
  version?: string
  tools: number
  /** Why it is not ready. */
  reasons?: string[]
}
