import { setTimeout as sleep } from 'node:timers/promises'
import { type Caller, signEnvelope } from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import { errors, isStoryPortalError } from '../errors/index.ts'
import type { Resilience } from '../resilience/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { HostCallOptions } from './host.ts'
import type { ServerManifest } from './manifest.ts'
import { callOnce, RemoteFailure, type RemoteRequest } from './remote-call.ts'
import { newCorrelationId } from './trace.ts'
import { ENVELOPE_HEADER, type InternalRequest } from './wire.ts'

/** How this process proves itself: the local user's token (stdio entry, CLI) or the platform's own key (between servers). */
export type Credentials = { token: string } | { serviceKey: string }

export interface RemoteOptions {
  config: Pick<Config, 'host' | 'portBase' | 'urls'>
  manifests: readonly ServerManifest[]
  credentials: Credentials
  log: Logger
  /** Tries in all for calls that were surely not let in, or that may safely run twice. */
  attempts?: number
}

const PAUSE_MS = [100, 300, 900]

/** Calls a tool in another process; repeats only what was surely not let in, or what may safely run twice. */
export async function callWithRetry(
  remote: RemoteOptions & { resilience: Resilience },
  manifest: ServerManifest,
  tool: string,
  args: unknown,
  given: HostCallOptions,
): Promise<Record<string, unknown>> {
  const deadline = deadlineOf(given)
  const options = deadline === undefined ? given : { ...given, deadline }
  const repeatable = isRepeatable(manifest, tool, args, options)
  const policy = remote.resilience.policy(`server:${manifest.name}`)
  for (let attempt = 1; ; attempt += 1) {
    const request = prepare(remote, manifest, tool, args, options)
    const outcome = await policy.execute(() => attemptOnce(request), onlySignal(options)).catch(failureOf)
    if ('result' in outcome) return outcome.result
    const { failure } = outcome
    const pause = (PAUSE_MS[attempt - 1] ?? 900) * (0.5 + Math.random())
    const late = deadline !== undefined && Date.now() + pause >= deadline
    if (attempt >= (remote.attempts ?? 4) || late || !mayRepeat(failure, repeatable)) throw failure.coded
    remote.log.debug({ server: manifest.name, tool, attempt, number: failure.coded.number }, 'repeating a remote call')
    await rest(pause, options.signal)
  }
}

function onlySignal({ signal }: { signal?: AbortSignal | undefined }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

type Outcome = { result: Record<string, unknown> } | { failure: RemoteFailure }

/** An error that the tool itself answered with shows a working server: only the way to it may open its circuit. */
async function attemptOnce(request: RemoteRequest): Promise<Outcome> {
  try {
    return { result: await callOnce(request) }
  } catch (error) {
    if (error instanceof RemoteFailure && error.stage === 'answered') return { failure: error }
    throw error
  }
}

function failureOf(error: unknown): Outcome {
  if (error instanceof RemoteFailure) return { failure: error }
  // The circuit is open or every place is taken: nothing was sent, and sending it now again would not help.
  if (isStoryPortalError(error)) return { failure: new RemoteFailure('answered', error) }
  throw error
}

async function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, onlySignal({ signal })).catch(() => {
    throw errors.cancelled()
  })
}

function isRepeatable(manifest: ServerManifest, tool: string, args: unknown, options: HostCallOptions): boolean {
  if (options.idempotency_key !== undefined || hasKey(args)) return true
  return manifest.tools.find(({ name }) => name === tool)?.annotations.readOnlyHint ?? false
}

function mayRepeat({ stage, coded }: RemoteFailure, repeatable: boolean): boolean {
  if (stage === 'not_sent') return true
  if (stage === 'refused') return coded.code === 'UNAVAILABLE'
  return stage === 'unknown' && repeatable
}

function prepare(
  remote: RemoteOptions,
  manifest: ServerManifest,
  tool: string,
  args: unknown,
  options: HostCallOptions,
) {
  const { caller, correlation_id, traceparent, idempotency_key, deadline } = options
  const timeoutMs = deadline === undefined ? undefined : Math.max(1, deadline - Date.now())
  const request: InternalRequest = {
    arguments: args,
    correlation_id: correlation_id ?? newCorrelationId(),
    ...clientOf(caller),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(idempotency_key === undefined ? {} : { idempotency_key }),
    ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }),
  }
  const body = JSON.stringify(request)
  return {
    url: new URL(`${serverUrl(remote.config, manifest)}/internal/call/${manifest.name}/${encodeURIComponent(tool)}`),
    server: manifest.name,
    headers: credentialHeaders(remote.credentials, manifest.name, tool, request, options, body),
    body,
    options,
    // The callee is told first; this side waits a little longer for its own words.
    timeoutMs: timeoutMs === undefined ? undefined : timeoutMs + 1_500,
  }
}

function credentialHeaders(
  credentials: Credentials,
  audience: string,
  tool: string,
  request: InternalRequest,
  { caller }: HostCallOptions,
  body: string,
): Record<string, string> {
  if ('token' in credentials) return { authorization: `Bearer ${credentials.token}` }
  const { correlation_id, traceparent, idempotency_key } = request
  const content = {
    caller,
    audience,
    tool,
    ...(correlation_id === undefined ? {} : { correlation_id }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(idempotency_key === undefined ? {} : { idempotency_key }),
  }
  return { [ENVELOPE_HEADER]: signEnvelope(credentials.serviceKey, content, body) }
}

function clientOf({ client }: Caller): Pick<InternalRequest, 'client'> {
  if (client.surface !== 'stdio' && client.surface !== 'cli') return {}
  const { surface, name, cwd } = client
  return { client: { surface, name: name.slice(0, 60), ...(cwd === undefined ? {} : { cwd }) } }
}

function hasKey(args: unknown): boolean {
  return typeof args === 'object' && args !== null && 'idempotency_key' in args
}

function deadlineOf({ deadline, timeout_ms }: HostCallOptions): number | undefined {
  const own = timeout_ms === undefined ? undefined : Date.now() + timeout_ms
  if (own === undefined) return deadline
  return deadline === undefined ? own : Math.min(own, deadline)
}

/** Where a server listens: STORY_PORTAL_URL_<SERVER>, else this machine and its port. */
export function serverUrl(config: RemoteOptions['config'], server: { name: string; port: number }): string {
  const given = config.urls[server.name]
  if (given !== undefined) return given
  const wildcard = config.host === '0.0.0.0' || config.host === '::'
  const name = wildcard ? '127.0.0.1' : config.host
  return `http://${name.includes(':') ? `[${name}]` : name}:${config.portBase + server.port}`
}
