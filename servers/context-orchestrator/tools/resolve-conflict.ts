import { findRecord, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { badInput, errors } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkedUpdates } from '../checked-updates.ts'
import type { Checkpoint, Updates } from '../checkpoint.ts'
import { type Conflict, shownConflict } from '../conflicts/found.ts'
import { faults } from '../errors.ts'
import { merge } from '../merge.ts'
import { save } from '../save.ts'
import { UpdatesInput } from '../schema.ts'
import { lockProject, lockTask } from '../store.ts'

export default defineTool({
  name: 'resolve_conflict',
  description:
    'Settles a conflict of detect_conflicts, and does what the outcome says in the same step, as a new version of its task. The same outcome again changes nothing.',
  effect: 'update',
  input: {
    conflict_id: z
      .string()
      .regex(/^ccf_[a-z0-9]{1,60}$/, 'must be the id of a conflict: ccf_...')
      .describe('ccf_...'),
    outcome: z
      .enum(['keep_theirs', 'keep_yours', 'merge', 'reopen', 'unlock', 'dismiss'])
      .describe(
        'keep_yours: saves the refused updates now; merge: saves updates; reopen: a completed task; unlock: the element; dismiss: never mind',
      ),
    updates: UpdatesInput.optional(),
    note: z.string().trim().min(1).max(2000).optional().describe('Why'),
  },
  output: {
    conflict: z.looseObject({ conflict_id: z.string(), status: z.string() }),
    task_id: z.string(),
    version: z.int(),
    changed: z.array(z.string()),
  },
  async run({ conflict_id, outcome, updates: given, note }, { tx }) {
    const found = await findRecord(tx, 'context_conflict', conflict_id)
    if (!found) throw unknown(conflict_id)
    await lockProject(tx, found.project_id)
    const conflict = (await findRecord(tx, 'context_conflict', conflict_id, { forUpdate: true })) ?? found
    if ((outcome === 'merge') !== (given !== undefined))
      throw badInput('updates', 'belongs to the outcome merge, and only there')
    const task = await lockTask(tx, conflict.task_context_id)
    const same = (conflict.outcome as { type?: string } | null)?.type === outcome
    const unchanged = { conflict: shownConflict(conflict), task_id: task.id, version: task.head, changed: [] }
    if (conflict.status !== 'open') {
      if (same) return unchanged
      throw faults.conflictSettled({ conflict: conflict_id, status: conflict.status })
    }
    const applied = await apply(tx, conflict, { outcome, updates: given && checkedUpdates(given) })
    const settled = await updateRecord(tx, 'context_conflict', conflict.id, {
      status: outcome === 'dismiss' ? 'dismissed' : 'resolved',
      outcome: { type: outcome, ...(note !== undefined && { note }), version: applied.version },
    })
    return { conflict: shownConflict(settled), task_id: task.id, ...applied }
  },
})

/** Which outcomes do something about which kind. */
const SETTLES: Record<Conflict['kind'], readonly string[]> = {
  version_divergence: ['keep_theirs', 'keep_yours', 'merge', 'dismiss'],
  file_conflict: ['merge', 'dismiss'],
  state_mismatch: ['reopen', 'merge', 'dismiss'],
  lock_collision: ['unlock', 'merge', 'dismiss'],
  mirror_edit: ['keep_theirs', 'keep_yours', 'merge', 'dismiss'],
}

interface Wanted {
  outcome: string
  updates: Updates | undefined
}

async function apply(tx: Tx, conflict: Conflict, { outcome, updates }: Wanted) {
  const outcomes = SETTLES[conflict.kind]
  if (!outcomes.includes(outcome))
    throw faults.outcomeUnfit({ outcome, kind: conflict.kind, outcomes: outcomes.join(', ') })
  const task = await lockTask(tx, conflict.task_context_id)
  const sides = conflict.sides as { yours?: Updates; element?: string }
  const summary = `Conflict settled: ${outcome}`
  if (outcome === 'keep_yours') {
    if (sides.yours === undefined)
      throw faults.outcomeUnfit({ outcome, kind: 'text', outcomes: 'merge, keep_theirs, dismiss' })
    const yours = checkedUpdates(sides.yours as Record<string, unknown>)
    // An edited file says what the parts are from now on, a refused save what was to be added to them.
    const change = (before: Checkpoint) =>
      conflict.kind === 'mirror_edit' ? merge(merge(before, emptied(yours)), yours) : merge(before, yours)
    return save(tx, task, { change, summary })
  }
  if (outcome === 'merge') return save(tx, task, { change: (before) => merge(before, updates ?? {}), summary })
  if (outcome === 'reopen') return save(tx, task, { change: (before) => before, summary, status: 'active' })
  if (outcome === 'unlock') return save(tx, task, { change: (before) => without(before, sides.element ?? ''), summary })
  return { version: task.head, changed: [] }
}

function emptied(updates: Updates): Updates {
  return Object.fromEntries(Object.keys(updates).map((part) => [part, null])) as Updates
}

function without({ locked_elements = [], ...rest }: Checkpoint, element: string): Checkpoint {
  const left = locked_elements.filter((one) => one.element !== element)
  return left.length === 0 ? rest : { ...rest, locked_elements: left }
}

function unknown(id: string) {
  return errors.notFound({ kind: 'conflict', id }, { hint: 'detect_conflicts shows the open ones.' })
}
