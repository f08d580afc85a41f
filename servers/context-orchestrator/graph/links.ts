import { createRecord, deleteRecord, findRecord, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'
import { sql } from 'kysely'
import { faults } from '../errors.ts'
import type { Task } from '../store.ts'

export type Link = RecordOf<'task_link'>
export type Relation = 'blocks' | Link['relation']
type Edge = Pick<Link, 'task_context_id' | 'relation' | 'target_id'>

/** The other end of a link: a task context of the same project, or a task or goal of planning, whose state is read where it is kept. */
export type End = {
  id: string
  title: string
  status: string
  /** Nothing waits for it any more: it is done, or somebody has deleted it. */
  done: boolean
  kind: 'task_context' | 'task' | 'goal'
}

const KINDS = { tcx: 'task_context', tsk: 'task', gol: 'goal' } as const
const DONE: Record<End['kind'], readonly string[]> = {
  task_context: ['completed', 'archived'],
  task: ['completed', 'skipped'],
  goal: ['completed'],
}
/** Of planning: it will not be done, and what waits for it waits until that is settled. */
const GIVEN_UP: readonly string[] = ['failed', 'cancelled']
const DELETED = 'deleted'

/** What an id stands for, also when it was deleted; undefined when it never was. */
export async function endOf(tx: Tx, id: string): Promise<End | undefined> {
  const kind = kindOf(id)
  const options = { includeDeleted: true }
  if (kind === 'task') {
    const task = await findRecord(tx, kind, id, options)
    return task && end(kind, task, task.name ?? task.key)
  }
  const found = kind === 'goal' ? await findRecord(tx, kind, id, options) : await findRecord(tx, kind, id, options)
  return found && end(kind, found, found.title)
}

function kindOf(id: string): End['kind'] {
  return KINDS[id.slice(0, 3) as keyof typeof KINDS]
}

function end(kind: End['kind'], of: { id: string; status: string; deleted_at: string | null }, title: string): End {
  const status = of.deleted_at === null ? of.status : DELETED
  return { id: of.id, title, status, kind, done: status === DELETED || DONE[kind].includes(status) }
}

/** Somebody can still work on it. */
export function isOpen({ done, status }: End): boolean {
  return !done && !GIVEN_UP.includes(status)
}

/** The link as it is kept: `a blocks b` is `b depends_on a`, and what is related has no direction. */
export function linkBetween(taskId: string, relation: Relation, targetId: string): Edge {
  const planned = kindOf(targetId) !== 'task_context'
  const turned = relation === 'blocks' || (relation === 'related_to' && !planned && targetId < taskId)
  const [task_context_id, target_id] = turned ? [targetId, taskId] : [taskId, targetId]
  return { task_context_id, relation: relation === 'blocks' ? 'depends_on' : relation, target_id }
}

/**
 * Throws when a task can not have that relation with a target: NOT_FOUND, or E14012 for itself, another project, or planning's
 * tasks and goals, which only depend and relate.
 */
export async function assertLinkable(tx: Tx, task: Task, relation: Relation, targetId: string): Promise<void> {
  const target = await endOf(tx, targetId)
  if (!target || target.status === DELETED)
    throw errors.notFound({ kind: 'task or goal', id: targetId }, { hint: 'Nothing was linked.' })
  const planned = target.kind !== 'task_context'
  if (planned && (relation === 'blocks' || relation === 'parent'))
    throw faults.notLinkable({ why: `${targetId} belongs to planning, which does not wait for contexts` })
  if (target.id === task.id) throw faults.notLinkable({ why: 'a task can not be linked with itself' })
  const other = planned ? undefined : await findRecord(tx, 'task_context', target.id)
  if (other && other.project_id !== task.project_id)
    throw faults.notLinkable({ why: `${targetId} is a task of another project` })
}

export async function findLink(tx: Tx, { task_context_id, relation, target_id }: Edge): Promise<Link | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from core.task_links
    where tenant_id = current_setting('app.tenant') and task_context_id = ${task_context_id}
      and relation = ${relation} and target_id = ${target_id} and deleted_at is null`.execute(tx)
  return rows[0] && findRecord(tx, 'task_link', rows[0].id)
}

/** Of a project that the caller has locked: two links that would close a circle together come one after the other. */
export async function addLink(tx: Tx, projectId: string, edge: Edge): Promise<Link> {
  if (edge.relation !== 'related_to') {
    const same = await edgesOf(tx, projectId, edge.relation)
    const parent = same.find(
      ({ relation, task_context_id }) => relation === 'parent' && task_context_id === edge.task_context_id,
    )
    if (parent) throw faults.notLinkable({ why: `${edge.task_context_id} has the parent ${parent.target_id} already` })
    const circle = pathBetween(same, edge.target_id, edge.task_context_id)
    if (circle) {
      const path = [edge.task_context_id, ...circle]
      throw faults.circle({ relation: edge.relation, links: String(path.length - 1) }, { details: { path } })
    }
  }
  return createRecord(tx, 'task_link', { project_id: projectId, ...edge })
}

export async function removeLink(tx: Tx, link: Link): Promise<void> {
  await deleteRecord(tx, 'task_link', link.id)
}

/** All links of a project, of one relation where it is given. */
export async function edgesOf(tx: Tx, projectId: string, relation?: Link['relation']): Promise<Edge[]> {
  const { rows } = await sql<Edge>`
    select task_context_id, relation, target_id from core.task_links
    where tenant_id = current_setting('app.tenant') and project_id = ${projectId} and deleted_at is null
      ${relation === undefined ? sql`` : sql`and relation = ${relation}`} order by id`.execute(tx)
  return rows
}

/** The ids from one task along the links to another; undefined when they do not lead there. */
export function pathBetween(edges: readonly Edge[], from: string, to: string): string[] | undefined {
  const next = new Map<string, string[]>()
  for (const { task_context_id, target_id } of edges)
    next.set(task_context_id, [...(next.get(task_context_id) ?? []), target_id])
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  const waiting = [from]
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    if (at === to) {
      const path = []
      for (let step: string | undefined = at; step !== undefined; step = cameFrom.get(step)) path.unshift(step)
      return path
    }
    for (const id of next.get(at) ?? []) {
      if (cameFrom.has(id)) continue
      cameFrom.set(id, at)
      waiting.push(id)
    }
  }
  return undefined
}
