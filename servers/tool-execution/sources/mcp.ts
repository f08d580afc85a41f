import type { CallToolResult } from '@modelcontextprotocol/client'
import { listRecords, type RecordOf } from '@story-portal/shared/data'
import type { TenantScope, Tx } from '@story-portal/shared/db'
import type { Dispatch } from '@story-portal/shared/engine'
import { errors } from '@story-portal/shared/errors'
import type { Host, ProgressUpdate } from '@story-portal/shared/mcp'
import { faults } from '../errors.ts'
import { faultsOf } from '../json-schema.ts'
import type { RunResult } from '../sandbox/sandbox.ts'
import type { Connection, UpstreamTransport } from '../upstreams/connection.ts'
import { unsealTransport } from '../upstreams/credentials.ts'
import { changedParts } from '../upstreams/definition.ts'
import { upstreamsOf } from '../upstreams/pool.ts'
import { visibleValue } from '../upstreams/suspicion.ts'
import type { UpstreamSource, UpstreamWork } from '../work.ts'
import { underPolicy } from './policy.ts'

export type Progress = (update: ProgressUpdate) => void

interface UpstreamCall {
  call: Dispatch
  work: UpstreamWork
  progress?: Progress | undefined
}

type LimitedCall = UpstreamCall & { call: { deadline: number } }

/** Carries out a tool of an upstream: only while its definition is the accepted one, and again only when it changes nothing. */
export async function runUpstreamTool(host: Host, scope: TenantScope, given: UpstreamCall): Promise<RunResult> {
  const started = performance.now()
  const { source } = given.work
  const upstream = await reachable<UpstreamTransport>(host, scope, source.upstream)
  // One that died under the call is asked in a new connection.
  const answer = await underPolicy(host, given, (call) =>
    upstreamsOf(host).use(upstream, (connection) => callTool(connection, { ...given, call })),
  )
  const usage = { wall_ms: Math.round(performance.now() - started), cpu_ms: 0, memory_bytes: 0 }
  return { ok: true, result: resultOf(host, source, answer), logs: [], usage }
}

const NOTHING_HAPPENED = { details: { effect: 'none' } }

/** The enabled upstream of this name with its credentials, for one call. */
export async function reachable<T>(host: Host, scope: TenantScope, name: string) {
  const read = async (tx: Tx) => {
    const upstream = await findUpstream(tx, name)
    if (!upstream) throw errors.notFound({ kind: 'upstream', id: name }, NOTHING_HAPPENED)
    if (upstream.status === 'disabled') throw faults.upstreamDisabled({ upstream: name })
    const transport = await unsealTransport<T>(tx, host.config, upstream.transport)
    return { tenant_id: upstream.tenant_id, name, transport }
  }
  return await host.db.tx(scope, read, { readOnly: true })
}

/** The upstream of this name, if there is one. */
export async function findUpstream(tx: Tx, name: string): Promise<RecordOf<'upstream'> | undefined> {
  const { items } = await listRecords(tx, 'upstream', { filter: { name }, limit: 1 })
  return items[0]
}

async function callTool(connection: Connection, { call, work, progress }: LimitedCall) {
  const { upstream, tool, pin } = work.source
  const definition = (await connection.definitions()).get(tool)
  if (!definition) throw faults.upstreamToolGone({ upstream, tool })
  const changed = changedParts(pin, definition)
  if (changed.length > 0)
    throw faults.definitionChanged({ upstream, tool, changed: changed.join(', ') }, { details: { upstream, changed } })
  return await connection.call(tool, work.input as Record<string, unknown>, {
    signal: call.signal,
    timeout_ms: Math.max(1, call.deadline - Date.now()),
    onProgress: progress,
  })
}

/** What the caller gets: marked as the upstream's, without what nobody sees, and only what the upstream promised. */
function resultOf(host: Host, source: UpstreamSource, answer: CallToolResult) {
  const { upstream, tool } = source
  const limit = host.config.sandbox.maxResultBytes
  if (JSON.stringify(answer).length > limit) throw faults.upstreamAnswerTooLarge({ upstream, tool, limit })
  const { value, flags } = visibleValue({ content: answer.content, structured: answer.structuredContent })
  const marked = {
    upstream,
    content: value.content,
    ...(value.structured === undefined ? {} : { structured: value.structured }),
    ...(flags.length > 0 ? { flags } : {}),
  }
  if (answer.isError === true) throw faults.upstreamToolFailed({ upstream, tool }, { details: { answer: marked } })
  if (source.output_schema === null) return marked
  const found = faultsOf(source.output_schema, answer.structuredContent ?? null, 'structured')
  if (found.length > 0) throw faults.upstreamLied({ upstream, tool }, { details: { faults: found } })
  return marked
}
