import { sha256 } from '@story-portal/shared/data'
import type { TenantScope } from '@story-portal/shared/db'
import type { Dispatch } from '@story-portal/shared/engine'
import { badInput, isStoryPortalError } from '@story-portal/shared/errors'
import type { Host } from '@story-portal/shared/mcp'
import { faults } from '../errors.ts'
import { fetchOf } from '../fetch/fetch-of-host.ts'
import type { GuardedFetch } from '../fetch/guarded-fetch.ts'
import { faultsOf } from '../json-schema.ts'
import type { RunResult } from '../sandbox/sandbox.ts'
import { visibleValue } from '../upstreams/suspicion.ts'
import type { HttpSource, HttpWork } from '../work.ts'
import { reachable } from './mcp.ts'
import { underPolicy } from './policy.ts'

type Args = Record<string, unknown>

interface Api {
  url: string
  /** Named by a person, so that it may be a private address. */
  trusted?: boolean
  headers: Record<string, string>
  query: Record<string, string>
}

/** Carries out an operation of an imported HTTP API: one request, no redirect, the answer marked as the API's. */
export async function runHttpTool(host: Host, scope: TenantScope, call: Dispatch, work: HttpWork): Promise<RunResult> {
  const started = performance.now()
  const { source } = work
  const { transport } = await reachable<Api>(host, scope, source.upstream)
  const request = requestOf(transport, source, work.input as Args, call.key)
  const trusted = transport.trusted ?? false
  const limit = host.config.sandbox.maxResultBytes
  const name = `${source.method} ${source.path}`
  const result = await underPolicy(host, { call, work }, async ({ deadline }) => {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(Math.max(1, deadline - Date.now()))])
    const answer = await send(fetchOf(host), source.upstream, { ...request, signal, trusted })
    if (answer.text.length > limit)
      throw faults.upstreamAnswerTooLarge({ upstream: source.upstream, tool: name, limit })
    return resultOf(source, name, answer)
  })
  return {
    ok: true,
    result,
    logs: [],
    usage: { wall_ms: Math.round(performance.now() - started), cpu_ms: 0, memory_bytes: 0 },
  }
}

interface Outgoing {
  url: URL
  init: RequestInit
}

function requestOf(api: Api, source: HttpSource, args: Args, key: string): Outgoing {
  const base = api.url.replace(/\/$/, '')
  const url = new URL(base + source.path.replace(/\{([^}]+)\}/g, (_whole, name: string) => segment(name, args[name])))
  const headers = new Headers({ accept: 'application/json' })
  for (const [name, value] of Object.entries(args)) {
    if (source.places[name] === 'query') for (const one of [value].flat()) url.searchParams.append(name, text(one))
    if (source.places[name] === 'header') headers.set(name, headerValue(name, value))
  }
  for (const [name, value] of Object.entries(api.query)) url.searchParams.set(name, value)
  for (const [name, value] of Object.entries(api.headers)) headers.set(name, value)
  const body = args['body']
  if (body !== undefined) headers.set('content-type', 'application/json')
  if (!source.read_only) headers.set('idempotency-key', upstreamKey(key))
  return {
    url,
    init: { method: source.method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
  }
}

/** The same over all attempts of one call; receivers that know the header do nothing twice. */
export function upstreamKey(callKey: string): string {
  return sha256(callKey)
}

/** `..` in a path would lead to another operation. */
function segment(name: string, value: unknown): string {
  const given = text(value)
  if (given === '' || given === '.' || given === '..') throw badArgument(name, 'can not be part of a path')
  return encodeURIComponent(given)
}

function headerValue(name: string, value: unknown): string {
  const given = text(value)
  if (!/^[\x20-\x7e]*$/.test(given)) throw badArgument(name, 'can not be a header: visible ASCII only')
  return given
}

function text(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

interface Answer {
  status: number
  json: boolean
  text: string
}

async function send(
  fetch: GuardedFetch,
  upstream: string,
  { url, init, signal, trusted }: Outgoing & { signal: AbortSignal; trusted: boolean },
): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, signal, ...(trusted ? { trust: url.host } : {}) })
    const json = /\bjson\b/i.test(response.headers.get('content-type') ?? '')
    return { status: response.status, json, text: await response.text() }
  } catch (cause) {
    if (isStoryPortalError(cause) && cause.code === 'DENIED') throw cause
    const details = { upstream }
    if (signal.aborted) throw faults.upstreamSilent({ upstream }, { cause, details })
    throw faults.upstreamLost({ upstream }, { cause, details })
  }
}

function resultOf(source: HttpSource, tool: string, answer: Answer) {
  const { upstream } = source
  const { value, flags } = visibleValue({ status: answer.status, body: bodyOf(answer) })
  const marked = { upstream, ...value, ...(flags.length > 0 ? { flags } : {}) }
  if (answer.status >= 500) throw faults.upstreamFailed({ upstream }, { details: { answer: marked } })
  if (answer.status >= 400) throw faults.upstreamToolFailed({ upstream, tool }, { details: { answer: marked } })
  if (source.output_schema === null) return marked
  const found = faultsOf(source.output_schema, value.body, 'body')
  if (found.length > 0) throw faults.upstreamLied({ upstream, tool }, { details: { faults: found } })
  return marked
}

function bodyOf({ json, text: body }: Answer): unknown {
  if (body === '') return null
  if (!json) return body
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** Nothing was sent yet. */
function badArgument(name: string, message: string) {
  return badInput(`arguments.${name}`, message, { effect: 'none' })
}
