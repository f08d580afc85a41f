import { errors } from '../errors/index.ts'
import type { Kind } from './define-kind.ts'
import { recordErrors } from './errors.ts'
import { statusOf } from './registry.ts'
import type { Row } from './row-sql.ts'

export interface Update {
  id: string
  changes: object
  expected_version?: number | undefined
}

/** Columns to set for an update, or the reason why it may not happen. */
export function planned(kind: Kind, before: Row | undefined, update: Update): Record<string, unknown> {
  const row = present(kind, before, update)
  const changes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(update.changes)) {
    if (value === undefined) continue
    if (!(name in kind.fields)) throw new Error(`${kind.name} has no field ${name}`)
    changes[name] = value
  }
  if ('status' in changes) assertMove(kind, String(row['status']), String(changes['status']))
  return changes
}

/** Columns to set for a soft delete. */
export function deleted(kind: Kind, before: Row | undefined, update: Update): Record<string, unknown> {
  present(kind, before, update)
  return { deleted_at: 'now+0' }
}

/** Columns to set for undoing a soft delete. */
export function restored(kind: Kind, before: Row | undefined, update: Update): Record<string, unknown> {
  const row = existing(kind, before, update)
  if (row.deleted_at === null) throw recordErrors.notDeleted({ kind: kind.name, id: update.id })
  return { deleted_at: null }
}

function present(kind: Kind, before: Row | undefined, update: Update): Row {
  if (before?.deleted_at != null) {
    throw errors.notFound(
      { kind: kind.name, id: update.id },
      { hint: 'It is deleted; restore_record brings it back.', details: { deleted_at: before.deleted_at } },
    )
  }
  return existing(kind, before, update)
}

function existing(kind: Kind, before: Row | undefined, update: Update): Row {
  const expected = update.expected_version
  if (!before) throw errors.notFound({ kind: kind.name, id: update.id }, { hint: 'List ids with list_records.' })
  if (expected !== undefined && expected !== before.version) {
    throw errors.versionConflict(
      { what: `The ${kind.name} ${update.id}`, actual: before.version, expected },
      {
        details: {
          actual: before.version,
          expected,
          faults: [{ path: 'expected_version', message: `is ${expected}, the record is at ${before.version}` }],
        },
      },
    )
  }
  return before
}

/** Throws E0013 when the kind's states do not allow the move; staying is always allowed. */
export function assertMove(kind: Kind, from: string, to: string): void {
  const machine = statusOf(kind)?.machine
  if (!machine || from === to) return
  const next = machine.next[from] ?? []
  if (next.includes(to)) return
  const allowed = next.join(', ') || 'nothing, this state is final'
  throw errors.illegalTransition(
    { kind: kind.name, from, to, allowed },
    {
      details: {
        from,
        to,
        allowed: [...next],
        faults: [{ path: 'changes.status', message: `can not go from ${from} to ${to}` }],
      },
    },
  )
}
