import { getRecord, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import type { CallEffect } from '@story-portal/shared/engine'
import type { z } from 'zod'
import { faults } from './errors.ts'
import { type Grants, grantsAnything, grantsOf } from './grants.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Limits, Permissions } from './schema.ts'
import type { Route } from './upstreams/definition.ts'

/** What is run: one-off code and a version of a registered tool come down to the same. */
export interface Work {
  source: CodeSource | UpstreamSource | HttpSource
  input: unknown
  grants: Grants
  limits: z.output<typeof Limits>
  /** The registered tool, whose result must fit. */
  tool?: { name: string; version: string; output_schema: JsonSchema | null }
}

/** Code beside what a tool does, in the language of the tool's own code; JavaScript where it has none. */
export interface Hooks {
  /** Says what became of a request whose answer was lost. */
  verify?: string | undefined
  /** Undoes what a call has done. */
  compensate?: string | undefined
  language?: 'javascript' | 'typescript'
}

export interface CodeSource extends Hooks {
  type: 'javascript'
  code: string
  language: 'javascript' | 'typescript'
}

/** A tool of an upstream MCP server, and what its definition was when it was accepted. */
export interface UpstreamSource extends Hooks {
  type: 'mcp'
  upstream: string
  tool: string
  pin: Record<string, string>
  read_only: boolean
  output_schema: JsonSchema | null
}

/** An operation of an imported HTTP API. */
export interface HttpSource extends Omit<UpstreamSource, 'type'>, Route {
  type: 'http'
}

export type CodeWork = Work & { source: CodeSource }
export type UpstreamWork = Work & { source: UpstreamSource }
export type HttpWork = Work & { source: HttpSource }

/** The arguments of run_code as they are recorded, and so what a takeover runs again. */
export interface CodeArguments {
  code: string
  language: 'javascript' | 'typescript'
  input: unknown
  permissions: z.output<typeof Permissions>
  limits: z.output<typeof Limits>
}

/** The work of a recorded invocation: what was frozen with it, never what is newest now (I5). */
export async function workOf(tx: Tx, invocation: RecordOf<'invocation'>): Promise<Work> {
  if (invocation.tool_id === null) return workOfCode(invocation.arguments as CodeArguments)
  const tool = await getRecord(tx, 'tool', invocation.tool_id)
  return invocation.kind === 'compensation'
    ? workOfCompensation(tool, invocation.arguments)
    : workOfTool(tool, invocation.arguments)
}

/** What undoes a call of a tool: code that is given `{arguments, output}`, with the tool's own grants. Throws E3056 when it has none. */
export function workOfCompensation(tool: RecordOf<'tool'>, done: unknown): Work {
  const { source, tool: _t, ...work } = workOfTool(tool, done)
  const { compensate: code, language = 'javascript' } = source
  if (code === undefined) throw faults.notReversible({ tool: `${tool.name} ${tool.semver}` })
  // Code asks about the requests of its undoing as about its own; what asks about calls of an upstream knows nothing of them.
  const verify = source.type === 'javascript' ? source.verify : undefined
  return { ...work, source: { type: 'javascript', code, language, verify } }
}

export function workOfCode({ permissions, code, language, ...rest }: CodeArguments): Work {
  return { ...rest, source: { type: 'javascript', code, language }, grants: grantsOf(permissions) }
}

export function workOfTool(tool: RecordOf<'tool'>, args: unknown): Work {
  return {
    source: sourceOf(tool),
    input: args,
    grants: grantsOf((tool.permissions ?? {}) as Partial<Grants>),
    limits: (tool.limits ?? {}) as Work['limits'],
    tool: { name: tool.name, version: tool.semver, output_schema: tool.output_schema as JsonSchema | null },
  }
}

function sourceOf({ source }: RecordOf<'tool'>): Work['source'] {
  const stored = source as (Omit<CodeSource, 'language'> & Partial<CodeSource>) | UpstreamSource | HttpSource
  return stored.type === 'javascript' ? { language: 'javascript', ...stored } : stored
}

/** How a second dispatch of the work would be taken (CallEffect): an upstream has no journal, so what changes something is `outside`. */
export function effectOf({ source, grants }: Pick<Work, 'source' | 'grants'>): CallEffect {
  if (source.type !== 'javascript') return source.read_only ? 'pure' : 'outside'
  return grantsAnything(grants) ? 'journaled' : 'pure'
}

/** The work with no more time than the caller gives it. */
export function within(work: Work, timeout_ms: number | undefined): Work {
  if (timeout_ms === undefined) return work
  return { ...work, limits: { ...work.limits, timeout_ms: Math.min(timeout_ms, work.limits.timeout_ms ?? timeout_ms) } }
}
