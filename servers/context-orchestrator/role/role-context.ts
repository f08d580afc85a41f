import type { Caller } from '@story-portal/shared/auth'
import { findRecord } from '@story-portal/shared/data'
import type { ScopedDb, Tx } from '@story-portal/shared/db'
import { reachableRoot } from '../drift/reachable-root.ts'
import { fit } from '../fit.ts'
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

/** What a role is, and what of a task it needs, within a budget. */
export async function roleContext(tx: Tx, task: Task, role: Role, maxTokens: number) {
  const whole = await readVersion(tx, task.id, task.head)
  const { checkpoint, omitted } = fit(whole, maxTokens, role.needs)
  const needed = new Set<string>(role.needs.map(({ part }) => part))
  const { id: task_id, title, status, head: version } = task
  return {
    role: shownRole(role),
    task: { task_id, title, status, version, checkpoint },
    omitted,
    not_given: Object.keys(whole).filter((part) => !needed.has(part)),
  }
}

function shownRole({ name, title, purpose, must, must_not, hands_over, gate, source }: Role) {
  return { name, title, purpose, must, must_not, hands_over, gate, source }
}
