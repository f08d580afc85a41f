import { inMs, updateRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { toErrorBody } from '../errors/index.ts'
import { findInvocation } from './call-intent.ts'
import { callErrors } from './errors.ts'
import type { InvocationRecord } from './types.ts'

export interface Settlement {
  outcome: 'done' | 'not_done'
  /** What the call would have answered; of `done` only. */
  output?: unknown
  note?: string | undefined
  expected_version?: number | undefined
}

/** Records what a person found out about a call whose outcome is unknown. Every later caller of its key gets that. Throws notUnknown. */
export async function settleCall(tx: Tx, id: string, settlement: Settlement): Promise<InvocationRecord> {
  const found = await findInvocation(tx, id, 'id')
  if (found.status !== 'unknown') throw callErrors.notUnknown({ status: found.status })
  const { outcome, output = null, note, expected_version } = settlement
  const changes =
    outcome === 'done'
      ? { status: 'succeeded' as const, output, error: null }
      : { status: 'failed' as const, error: { ...toErrorBody(callErrors.hadNoEffect()).error } }
  const options = { ...(note === undefined ? {} : { reason: note }), expected_version }
  return await updateRecord(tx, 'invocation', id, { ...changes, finished_at: inMs(0) }, options)
}
