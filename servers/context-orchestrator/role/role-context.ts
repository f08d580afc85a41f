import type { Caller } from '@story-portal/shared/auth'
import { findRecord } from '@story-portal/shared/data'
import type { ScopedDb, Tx } from '@story-portal/shared/db'
import type { Checkpoint } from '../checkpoint.ts'
import { reachableRoot } from '../drift/reachable-root.ts'
import { fit, type Need } from '../fit.ts'
import { placeOf } from '../place.ts'
import { findProject, readVersion, type Task } from '../store.ts'
import { type Role, type Roles, rolesOf } from './roles.ts'

/** The roles that a call can name: the files of its project are read before its transaction. */
export async function rolesFor(
  { caller, db }: { caller: Caller; db: ScopedDb },
  { task_id, project: name }: { task_id?: string | undefined; project?: string | undefined },
): Promise<Roles> {
  if (caller.client.cwd === undefined) return rolesOf(undefined)
  const place = placeOf(caller, name)
  const root = await db.read(async (tx) => {
    const task = task_id === undefined ? undefined : await findRecord(tx, 'task_context', task_id)
    const project = task ? await findRecord(tx, 'project', task.project_id) : await findProject(tx, place)
    return project ? project.root : 'root' in place ? place.root : null
  })
  const reach = reachableRoot(caller, root)
  return rolesOf('root' in reach ? reach.root : undefined)
}

/** What a role is told, the most valuable first; of its lists the first entries are. */
const INSTRUCTIONS = [
  { part: 'purpose' },
  { part: 'must_not', keep: 'first' },
  { part: 'must', keep: 'first' },
  { part: 'hands_over', keep: 'first' },
  { part: 'gate' },
] as const satisfies readonly Need<keyof Role>[]

/**
 * What a role is, and what of a task it needs, within a budget together. Its instructions come first, but take more than half of it
 * only as far as the task leaves it.
 */
export async function roleContext<T extends Task | undefined>(tx: Tx, task: T, role: Role, maxTokens: number) {
  const whole = task ? await readVersion(tx, task.id, task.head) : {}
  const wanted = fit(whole, maxTokens, role.needs).kept
  const most = Math.max(Math.floor(maxTokens / 2), maxTokens - tokensOf(wanted))
  const instructions = fit<Role>(role, most, INSTRUCTIONS)
  const { kept: checkpoint, omitted } = fit(whole, maxTokens - tokensOf(instructions.kept), role.needs)
  const needed = new Set<string>(role.needs.map(({ part }) => part))
  const { name, title, source } = role
  return {
    role: { name, title, ...instructions.kept, source },
    task: (task && shownTask(task, checkpoint)) as T extends Task ? ReturnType<typeof shownTask> : undefined,
    omitted: [...instructions.omitted, ...omitted],
    not_given: Object.keys(whole).filter((part) => !needed.has(part)),
  }
}

function shownTask({ id: task_id, title, status, head: version }: Task, checkpoint: Checkpoint) {
  return { task_id, title, status, version, checkpoint }
}

function tokensOf(value: object): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 4)
}
