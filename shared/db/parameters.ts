import { type RawBuilder, sql } from 'kysely'
import type { Tx } from './types.ts'

/** A value as a jsonb parameter. */
export function json<T>(value: T): RawBuilder<T> {
  return sql<T>`${JSON.stringify(value)}::jsonb`
}

const LONGEST_PAYLOAD = 7900

/** Wakes the listeners of a channel when the transaction commits. Says that something happened, never what: it can get lost. */
export async function notify(tx: Tx, channel: string, payload: string): Promise<void> {
  if (Buffer.byteLength(payload) > LONGEST_PAYLOAD) throw new RangeError('a notification carries 7,900 bytes at most')
  await sql`select pg_notify(${channel}, ${payload})`.execute(tx)
}
