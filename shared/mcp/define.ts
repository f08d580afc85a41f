import type { z } from 'zod'
import type { Caller } from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import type { ScopedDb, Tx } from '../db/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { ToolTypes } from './generated/tool-types.ts'
import type { Host } from './host.ts'

/** What a tool does to the world; fixes all four MCP behaviour hints, the default permission and how it is run. */
export type Effect = 'read' | 'create' | 'update' | 'delete' | 'execute'

export type Shape = Record<string, z.ZodType>
export type InputOf<S extends Shape> = z.output<z.ZodObject<S>>
/** A tool that declares no output field returns what it likes. */
export type ResultOf<S extends Shape> = keyof S extends never ? Record<string, unknown> : z.input<z.ZodObject<S>>

export interface CallOptions {
  /** Carries exactly-once through: the callee records its effect under this key, the same over all attempts. */
  idempotency_key?: string
  /** Milliseconds from now; never more than what is left of the caller's own deadline. */
  timeout_ms?: number
  signal?: AbortSignal
  onProgress?: (update: ProgressUpdate) => void
}

export interface ProgressUpdate {
  progress: number
  total?: number
  message?: string
}

/** Another tool, anywhere in the suite: in memory inside one process, over HTTP with the signed envelope otherwise. */
export type CallTool = <S extends keyof ToolTypes & string, T extends keyof ToolTypes[S] & string>(
  server: S,
  tool: T,
  args: ToolTypes[S][T] extends { input: infer I } ? I : never,
  options?: CallOptions,
) => Promise<ToolTypes[S][T] extends { output: infer O } ? O : never>

/** The same for names known only at run time: what a client, a plan or sandboxed code asked for. Checked like any other call. */
export type CallByName = (
  server: string,
  tool: string,
  args: unknown,
  options?: CallOptions,
) => Promise<Record<string, unknown>>

/** What every tool gets, made per call. */
export interface BaseContext {
  readonly caller: Caller
  readonly config: Config
  readonly log: Logger
  /** Aborted when the client cancels, the deadline passes or the process drains. */
  readonly signal: AbortSignal
  /** Milliseconds since the epoch; undefined when the call has no deadline. */
  readonly deadline: number | undefined
  readonly correlation_id: string
  /** The key this call is recorded under, when its caller gave one. */
  readonly idempotency_key: string | undefined
  now(): Date
  progress(update: ProgressUpdate): void
  /** The process around the tool: servers it hosts, health, cache, jobs. For tools about the platform itself. */
  readonly host: Host
}

/** `read`, `create`, `update` and `delete` run inside one transaction that the pipeline opens and commits. */
export interface TxContext extends BaseContext {
  readonly tx: Tx
}

/** `execute` tools (and others declared `transaction: false`) open their own short transactions and may call out. */
export interface OpenContext extends BaseContext {
  readonly db: ScopedDb
  readonly call: CallTool
  readonly callByName: CallByName
}

interface ToolBase<I extends Shape, O extends Shape> {
  /** `^[a-z][a-z0-9_]{1,40}$`, verb first; the file has the same name in kebab-case. */
  name: string
  /** Shown to people; derived from the name when absent. */
  title?: string
  /** Sentence one: what it returns or changes. Sentence two: when to use a sibling instead. No markdown, at most 400 characters. */
  description: string
  /** Flat, every field described and bounded. Unknown fields are refused. */
  input: I
  /** Open to new fields. */
  output: O
  /** Old names that still answer, for one major version. */
  aliases?: readonly string[]
  /** False when the same call twice does more than once (default: only `create` and `execute` without a key). */
  idempotent?: boolean
  /** Reaches outside the platform (MCP openWorldHint). */
  openWorld?: boolean
  /** Its result may be that a person must allow the call first (`approval`): clients that can are asked. */
  mayAsk?: boolean
  /** Who may call it; default by effect: `read` for readers, the rest for members. */
  roles?: readonly string[]
}

export interface TxTool<I extends Shape = Shape, O extends Shape = Shape, P = unknown> extends ToolBase<I, O> {
  effect: 'read' | 'create' | 'update' | 'delete'
  transaction?: true
  /** What has to be asked of others before the transaction begins, which waits for nothing; changes nothing. */
  prepare?(args: InputOf<I>, ctx: OpenContext): Promise<P>
  /** `prepared` is what `prepare` answered. */
  run(args: InputOf<I>, ctx: TxContext, prepared: P): Promise<ResultOf<O>>
}

export interface OpenTool<I extends Shape = Shape, O extends Shape = Shape> extends ToolBase<I, O> {
  effect: Effect
  transaction: false
  run(args: InputOf<I>, ctx: OpenContext): Promise<ResultOf<O>>
}

export type AnyTool = TxTool<Shape, Shape> | OpenTool<Shape, Shape>

/** Declares one tool. Tools that write get an optional `idempotency_key` input added by the pipeline; do not declare it. */
export function defineTool<const I extends Shape, const O extends Shape, P = undefined>(
  tool: TxTool<I, O, P>,
): TxTool<I, O, P>
export function defineTool<const I extends Shape, const O extends Shape>(tool: OpenTool<I, O>): OpenTool<I, O>
export function defineTool(tool: unknown): unknown {
  return tool
}

export interface ServerDefinition {
  /** For people: `Planning`. */
  title: string
  /** `L05`, or `-` for the document and context services. */
  layer: string
  /** Added to STORY_PORTAL_PORT_BASE: 1 to 14 in the suite, 15 to 99 for servers of one's own. */
  port: number
  /** One line for the README and `list_layers`. */
  summary: string
  /** What an assistant should know before using it; under 2,000 characters. */
  instructions: string
}

/** Declares one server; its name and version come from its folder and package.json. */
export function defineServer(definition: ServerDefinition): ServerDefinition {
  return definition
}

/** A worker that lives as long as the server: jobs/*.ts of a server export one of these by default. */
export interface JobDefinition {
  /** Unique in the server, kebab-case. */
  name: string
  /** Starts the worker and returns once it runs; `stop` finishes or hands over what is in flight and then resolves. */
  start(host: Host): Promise<{ stop(): Promise<void> }>
}

/** Declares one background worker. */
export function defineJob(job: JobDefinition): JobDefinition {
  return job
}
