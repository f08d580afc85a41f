import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { errors } from '../errors/index.ts'
import { authErrors } from './errors.ts'
import type { Caller } from './types.ts'

const LIFETIME_MS = 60_000
/** Hosts' clocks may differ by this much. */
const LEEWAY_MS = 5_000

const CallerSchema = z.object({
  tenant_id: z.string().min(1),
  subject: z.string().min(1),
  roles: z.array(z.string()),
  scopes: z.array(z.string()),
  client: z.object({
    surface: z.enum(['stdio', 'http', 'sse', 'rest', 'cli', 'internal', 'test']),
    name: z.string(),
    cwd: z.string().optional(),
  }),
  run_id: z.string().optional(),
  plan_id: z.string().optional(),
  task_id: z.string().optional(),
  fence: z.number().optional(),
  depth: z.number().optional(),
})

const Payload = z.object({
  v: z.literal(1),
  caller: CallerSchema,
  /** The server it is meant for: one captured on its way to `data` opens nothing at `runtime`. */
  audience: z.string(),
  tool: z.string(),
  /** sha256 of the body, so that arguments can't be swapped under a good signature. */
  body: z.string(),
  issued_at: z.number(),
  expires_at: z.number(),
  traceparent: z.string().optional(),
  correlation_id: z.string().optional(),
  idempotency_key: z.string().optional(),
  nonce: z.string(),
})

export type EnvelopeContent = Omit<
  z.infer<typeof Payload>,
  'v' | 'body' | 'issued_at' | 'expires_at' | 'nonce' | 'caller'
> & {
  caller: Caller
}

/** What one host tells another about a call, signed for 60 s: the callee trusts no other statement about the caller. */
export function signEnvelope(key: string, content: EnvelopeContent, body: string, now = Date.now()): string {
  const payload = {
    v: 1,
    ...content,
    body: digest(body),
    issued_at: now,
    expires_at: now + LIFETIME_MS,
    nonce: randomBytes(12).toString('base64url'),
  }
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url')
  return `${text}.${mac(key, text)}`
}

/**
 * Checks envelopes of one server; remembers nonces for as long as they live, so that a captured request can't be repeated here.
 * Here is this process: of several that serve one port each remembers its own, and a request captured whole could be sent once
 * more to each of the others within 65 s, with its own arguments and nothing else. Left so on purpose: a nonce in the database
 * would cost every remote call an insert. A call under an idempotency_key, as the engine's all are, has its effect once all the
 * same, for that is kept in the database; without a key a repeated write may happen again. Capturing needs the line between two
 * hosts, which therefore belongs in TLS or a private network.
 */
export function envelopeVerifier(key: string, audience: string) {
  const seen = new Map<string, number>()
  const forget = (now: number): void => {
    for (const [nonce, expires] of seen) {
      if (expires > now) return // Insertion order is nearly expiry order; the rest goes next time.
      seen.delete(nonce)
    }
  }
  return (envelope: string, tool: string, body: string, now = Date.now()): EnvelopeContent => {
    const payload = open(key, envelope)
    const fresh = payload.issued_at <= now + LEEWAY_MS && now <= payload.expires_at + LEEWAY_MS
    const bounded = payload.expires_at - payload.issued_at <= LIFETIME_MS
    const meant = payload.audience === audience && payload.tool === tool && payload.body === digest(body)
    forget(now)
    if (!bounded || !meant || seen.has(payload.nonce)) throw errors.unauthenticated()
    if (!fresh) throw stale(payload.issued_at, now)
    seen.set(payload.nonce, payload.expires_at + LEEWAY_MS)
    const { v: _v, body: _body, issued_at: _issued, expires_at: _expires, nonce: _nonce, ...content } = payload
    return content as EnvelopeContent
  }
}

/**
 * Signed by us, yet not of this time: a clock is wrong or the line was slow. That says nothing about who calls, so it must not end
 * the caller's work as a refusal for good would; and who captured it has got nothing, for it is not let in either.
 */
function stale(issued_at: number, now: number) {
  return authErrors.clocksDiffer({ seconds: Math.round(Math.abs(now - issued_at) / 1_000) }, { retry_after_ms: 1_000 })
}

function open(key: string, envelope: string): z.infer<typeof Payload> {
  const [text, signature, ...rest] = envelope.split('.')
  if (text === undefined || signature === undefined || rest.length > 0) throw errors.unauthenticated()
  const expected = Buffer.from(mac(key, text))
  const given = Buffer.from(signature)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw errors.unauthenticated()
  const parsed = Payload.safeParse(parseJson(Buffer.from(text, 'base64url').toString('utf8')))
  if (!parsed.success) throw errors.unauthenticated()
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Signed by us yet not JSON: another version's format; the schema refuses it.
  }
}

function mac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

function digest(body: string): string {
  return createHash('sha256').update(body).digest('base64url')
}
