import type { Tx } from '@story-portal/shared/db'
import { type Checkpoint, WHOLE } from './checkpoint.ts'
import { latestCheckpoints } from './checkpoints.ts'
import { type Conflict, openConflicts } from './conflicts/found.ts'
import { fit, type Need, type Omitted } from './fit.ts'
import { relationshipsOf } from './graph/relationships.ts'
import { readVersion, type Task } from './store.ts'

interface Wanted {
  version?: number | undefined
  maxTokens: number
}

/** A version of a task as clients see it, within a budget, and what that left out. */
export async function shownTask(tx: Tx, task: Task, { version = task.head, maxTokens }: Wanted) {
  const { kept, omitted } = fit(await readVersion(tx, task.id, version), maxTokens, WHOLE)
  return { task: shown(task, version, kept), omitted: omitted as Omitted[] }
}

/** The same with what is beside a checkpoint: shares of the budget are kept for it, and of each list the last are cut first. */
export async function unifiedContext(tx: Tx, task: Task, { version = task.head, maxTokens }: Wanted) {
  const links = await relationshipsOf(tx, task.id)
  const beside = {
    relationships: links.shown,
    conflicts: (await openConflicts(tx, { task_id: task.id })).map(shownBriefly),
    checkpoints: await latestCheckpoints(tx, task.id),
  }
  const whole = { ...(await readVersion(tx, task.id, version)), ...beside }
  const { kept, omitted } = fit<typeof whole>(whole, maxTokens, [...WHOLE, ...BESIDE])
  const { relationships = [], conflicts = [], checkpoints = [], ...checkpoint } = kept
  return {
    task: shown(task, version, checkpoint),
    relationships,
    conflicts,
    checkpoints,
    omitted: withMore(omitted, links.more),
  }
}

const BESIDE = [
  { part: 'relationships', share: 10, keep: 'first' },
  { part: 'conflicts', share: 10, keep: 'first' },
  { part: 'checkpoints', share: 5, keep: 'first' },
] as const satisfies Need<string>[]

/** Links beyond those that were read are cut too. */
function withMore(omitted: readonly Omitted[], items: number): Omitted[] {
  if (items === 0) return [...omitted]
  const cut = omitted.find(({ part }) => part === 'relationships')?.items ?? 0
  return [...omitted.filter(({ part }) => part !== 'relationships'), { part: 'relationships', items: cut + items }]
}

function shown({ id: task_id, title, status, updated_at }: Task, version: number, checkpoint: Checkpoint) {
  return { task_id, title, status, version, updated_at, checkpoint }
}

/** Without its sides: detect_conflicts has them. */
function shownBriefly({ id, kind, explanation }: Conflict) {
  return { conflict_id: id, kind, explanation }
}
