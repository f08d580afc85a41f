import { createHmac, timingSafeEqual } from 'node:crypto'
import { errors } from '../errors/index.ts'
import { canonicalJson } from '../events/index.ts'

/**
 * A page's end as an opaque text: the position is readable, but signed together with everything the query depends on
 * (`context`: tenant, kind, filter, sort), so a cursor that was changed, or belongs to another query, is refused.
 */
export function sealCursor(key: Uint8Array, context: unknown, position: unknown): string {
  const body = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${body}.${sign(key, context, body)}`
}

/** The position of a cursor made by `sealCursor` for the same context; E0014 for any other text. */
export function openCursor(key: Uint8Array, context: unknown, cursor: string): unknown {
  const [body = '', signature = ''] = cursor.split('.', 2)
  const expected = Buffer.from(sign(key, context, body))
  const given = Buffer.from(signature)
  if (cursor.length > 4096 || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw errors.badCursor({}, { details: { faults: [{ path: 'cursor', message: 'is not a cursor of this list' }] } })
  }
  return JSON.parse(Buffer.from(body, 'base64url').toString())
}

function sign(key: Uint8Array, context: unknown, body: string): string {
  return createHmac('sha256', key).update(canonicalJson(context)).update('\n').update(body).digest('base64url')
}
