import { findRecord, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'

/** The run, or NOT_FOUND. */
export async function runOf(tx: Tx, runId: string): Promise<RecordOf<'run'>> {
  const run = await findRecord(tx, 'run', runId)
  if (!run) throw errors.notFound({ kind: 'run', id: runId }, { hint: 'List ids with list_runs.' })
  return run
}
