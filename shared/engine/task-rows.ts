import { sql } from 'kysely'
import { type ChangesOf, inMs, updateRecords } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import type { Finished } from './decide.ts'
import type { TaskSpec } from './task-spec.ts'
import type { TaskRecord } from './types.ts'

export type TaskRow = Omit<TaskRecord, 'spec'> & { spec: TaskSpec }

export const NO_LEASE = { lease_owner: null, lease_token: null, lease_expires_at: null } as const
export const TERMINAL = new Set(['completed', 'failed', 'skipped', 'cancelled'])

interface Move {
  id: string
  /** Every state on the way, because the database allows single steps only. */
  states: TaskRow['status'][]
  changes: ChangesOf<'task'>
}

/**
 * Moves tasks through their states; the changes go with the last step. One lock and one update per step, whatever the number.
 * Returns the rows of the last step.
 */
export async function moveTasks(tx: Tx, moves: readonly Move[], reason?: string): Promise<TaskRow[]> {
  let rows: unknown[] = []
  const steps = Math.max(0, ...moves.map(({ states }) => states.length))
  for (let step = 0; step < steps; step++) {
    const now = moves.filter(({ states }) => step < states.length)
    rows = await updateRecords(
      tx,
      'task',
      now.map(({ id, states, changes }) => ({ id, changes: stepChanges(states, step, changes) })),
      reason === undefined ? {} : { reason },
    )
  }
  return rows as TaskRow[]
}

function stepChanges(states: Move['states'], step: number, changes: ChangesOf<'task'>): ChangesOf<'task'> {
  const status = states[step]
  const last = step === states.length - 1
  return { ...(last ? changes : {}), ...(status === undefined ? {} : { status }) }
}

/** One task, locked; E0004 when there is none. */
export async function lockTask(tx: Tx, id: string): Promise<TaskRow> {
  const { rows } = await sql<TaskRow>`select * from core.tasks where id = ${id} for no key update`.execute(tx)
  const [row] = rows
  if (row === undefined) throw errors.notFound({ kind: 'task', id }, { hint: 'claim_task and get_plan give task ids.' })
  return row
}

/** Tasks by id, in id order. */
export async function tasksById(tx: Tx, ids: readonly string[]): Promise<TaskRow[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<TaskRow>`select * from core.tasks where id = any(${ids}::text[]) order by id`.execute(tx)
  return rows
}

/**
 * Counts down the tasks that wait for these; returns those that wait for nothing any more. The counters are not columns of
 * the records: a task that 1,000 others lead to would write 1,000 versions of itself before it runs. The rows are found by
 * their ids as one array: joined to a list whose length the planner guesses, it would read those of the whole plan.
 */
export async function countDown(
  tx: Tx,
  tenantId: string,
  ended: readonly Pick<TaskRow, 'id' | 'parent_task_id'>[],
): Promise<string[]> {
  const parents = ended.flatMap(({ parent_task_id }) => parent_task_id ?? [])
  const ids = ended.filter(({ parent_task_id }) => parent_task_id === null).map(({ id }) => id)
  const { rows } = await sql<{ task_id: string }>`
    with fewer as materialized (
      select task_id, count(*)::int as n from (
        select task_id from core.task_dependencies where tenant_id = ${tenantId} and depends_on_id = any(${ids}::text[])
        union all select unnest(${parents}::text[])
      ) d group by task_id
    )
    update core.task_waits w set pending = w.pending - f.n from fewer f
    where w.tenant_id = ${tenantId} and w.task_id = any(array(select task_id from fewer)) and w.task_id = f.task_id
    returning w.task_id, w.pending`.execute(tx)
  const free = (rows as { task_id: string; pending: number }[]).filter(({ pending }) => pending === 0)
  if (free.length > 0) {
    await sql`
      delete from core.task_waits
      where tenant_id = ${tenantId} and task_id = any(${free.map((r) => r.task_id)}::text[])`.execute(tx)
  }
  return free.map(({ task_id }) => task_id).sort()
}

export interface Neighbour extends Finished {
  task_id: string
  key: string
}

/**
 * The direct dependencies of the given tasks; outputs only for those in `wantOutputs`. "offset 0" has each found by its key:
 * joined, the planner may read all tasks that there are.
 */
export async function dependenciesOf(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
  wantOutputs: readonly string[],
): Promise<Neighbour[]> {
  const { rows } = await sql<Neighbour>`
    select d.task_id, t.key, t.status, t.error,
      case when d.task_id = any(${wantOutputs}::text[]) then t.output end as output
    from core.task_dependencies d cross join lateral (
      select k.key, k.status, k.error, k.output from core.tasks k
      where k.tenant_id = d.tenant_id and k.id = d.depends_on_id offset 0
    ) t
    where d.tenant_id = ${tenantId} and d.task_id = any(${ids}::text[])`.execute(tx)
  return rows
}

/** Tasks of a plan by key, as those after them see them. */
export async function finishedByKey(tx: Tx, planId: string, keys: readonly string[]): Promise<Map<string, Finished>> {
  if (keys.length === 0) return new Map()
  const { rows } = await sql<Finished & { key: string }>`
    select key, status, output, error from core.tasks
    where plan_id = ${planId} and key = any(${keys}::text[])`.execute(tx)
  return new Map(rows.map(({ key, ...rest }) => [key, rest]))
}

/** The columns that end a task. */
export function ending(status: TaskRow['status'], changes: ChangesOf<'task'> = {}): ChangesOf<'task'> {
  return { status, ...NO_LEASE, retry_at: null, finished_at: inMs(0), ...changes }
}
