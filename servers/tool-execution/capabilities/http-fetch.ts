import type { Tx } from '@story-portal/shared/db'
import type { Dispatch } from '@story-portal/shared/engine'
import { isStoryPortalError } from '@story-portal/shared/errors'
import { assertStorable } from '@story-portal/shared/events'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { fetchOf } from '../fetch/fetch-of-host.ts'
import { checkedUrl } from '../fetch/guarded-fetch.ts'
import { isHostGranted } from '../grants.ts'
import { SecretName } from '../schema.ts'
import { readSecret } from '../secrets/secrets.ts'
import { type CapabilityUse, defineCapability, receiverKey } from './capability.ts'

const MAX_ANSWER_BYTES = 4 * 1_048_576
const LONGEST_MS = 30_000
const MAX_REDIRECTS = 5
const READS = ['GET', 'HEAD']
/** Refused while the connection is made, so that nothing was sent. */
const NOT_SENT = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']
/** Those that say where a message ends or goes are the connection's. */
const OWN_HEADERS = ['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'expect', 'te', 'trailer']

const VISIBLE = /^[\x20-\x7e]*$/
const LEAST_HIDDEN = 6
const HeaderValue = z.string().max(8192).regex(VISIBLE, 'must be visible ASCII')

const Args = z.strictObject({
  url: z.string().max(8192),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  headers: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}$/, 'must be the name of a header')
        .refine((name) => !OWN_HEADERS.includes(name.toLowerCase()), 'is not set by code'),
      z.union([HeaderValue, z.strictObject({ secret: SecretName, prefix: HeaderValue.optional() })]),
    )
    .default({}),
  body: z.string().optional(),
})
type Args = z.output<typeof Args>

/**
 * `http.fetch(url, {method, headers, body})`: to granted hosts with public addresses. GET and HEAD follow redirects to such and their answer is
 * recorded; other methods are outside effects, sent under the call's key as `idempotency-key` and never again without an answer.
 */
export default defineCapability({
  name: 'http.fetch',
  args: Args,
  permit({ grants }, { url, headers }) {
    admit(grants.http, checkedUrl(url))
    for (const { secret } of secretsIn(headers))
      if (!grants.secrets.includes(secret))
        throw faults.secretDenied({ name: secret, why: 'is not granted to the code' })
  },
  effectOf: ({ method }) => (READS.includes(method) ? 'pure' : 'outside'),
  async run(use, args, call) {
    const { host, scope, grants } = use
    const url = new URL(args.url)
    const sealed = await host.db.tx(scope, (tx) => secretHeaders(tx, use, { url, headers: args.headers }), {
      readOnly: true,
    })
    const reads = READS.includes(args.method)
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(LONGEST_MS)])
    try {
      const response = await fetchOf(host)(url, {
        method: args.method,
        headers: { ...(reads ? {} : { 'idempotency-key': receiverKey(call.invocation) }), ...sealed.headers },
        ...(args.body === undefined ? {} : { body: args.body }),
        redirects: reads ? MAX_REDIRECTS : 'return',
        admit: (next) => admit(grants.http, next),
        maxBytes: MAX_ANSWER_BYTES,
        signal,
      })
      return await answerOf(response, sealed.values)
    } catch (error) {
      throw coded(error, url, call)
    }
  },
})

function admit(granted: readonly string[], url: URL): void {
  if (!isHostGranted(granted, url)) throw faults.hostDenied({ host: url.host })
}

interface SecretUse {
  header: string
  secret: string
  prefix?: string | undefined
}

function secretsIn(headers: Args['headers']): SecretUse[] {
  return Object.entries(headers).flatMap(([header, value]) => (typeof value === 'string' ? [] : [{ header, ...value }]))
}

/** The headers with the secrets in them, which live from here to the connection only. */
async function secretHeaders(
  tx: Tx,
  { host }: CapabilityUse,
  { url, headers }: { url: URL; headers: Args['headers'] },
) {
  const filled: Record<string, string> = {}
  const values = new Map<string, string>()
  for (const [header, value] of Object.entries(headers)) if (typeof value === 'string') filled[header] = value
  for (const { header, secret, prefix = '' } of secretsIn(headers)) {
    const { value, hosts } = await readSecret(tx, host.config, secret)
    if (!isHostGranted(hosts, url))
      throw faults.secretDenied({ name: secret, why: `is not meant for ${url.host}` }, NOTHING_SENT)
    if (!VISIBLE.test(value))
      throw faults.secretDenied(
        { name: secret, why: 'can not stand in a header: it holds a line end or other than ASCII' },
        NOTHING_SENT,
      )
    filled[header] = prefix + value
    // Of a shorter one there would be traces everywhere.
    if (value.length >= LEAST_HIDDEN) values.set(secret, value)
  }
  return { headers: filled, values }
}

const NOTHING_SENT = { details: { effect: 'none' } }

/** `body` is parsed JSON, text, or null beside `base64`. What a receiver echoes of a secret is taken out again. */
async function answerOf(response: Response, secrets: ReadonlyMap<string, string>) {
  const bytes = Buffer.from(await response.arrayBuffer())
  const hide = (given: string) =>
    [...secrets].reduce((shown, [name, value]) => shown.replaceAll(value, `[secret ${name}]`), given)
  const headers = Object.fromEntries([...response.headers].map(([name, value]) => [name, hide(value)]))
  const { status } = response
  const text = textOf(bytes)
  if (text === undefined) return { status, headers, body: null, base64: bytes.toString('base64') }
  const shown = hide(text)
  return { status, headers, body: /\bjson\b/i.test(headers['content-type'] ?? '') ? jsonOr(shown) : shown }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function jsonOr(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown
    assertStorable(value, 'body')
    return value
  } catch {
    return text
  }
}

function coded(error: unknown, url: URL, call: Dispatch): unknown {
  if (isStoryPortalError(error)) return error
  if (call.signal.aborted) return call.signal.reason
  const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
  const details = NOT_SENT.includes(code) ? NOTHING_SENT : {}
  return faults.fetchFailed({ host: url.host }, { cause: error, ...details })
}
