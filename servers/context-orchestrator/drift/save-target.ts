import type { Caller } from '@story-portal/shared/auth'
import { findRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { placeOf } from '../place.ts'
import { currentTask, findProject, type Task } from '../store.ts'

/** What a save is about to be made to, as far as it exists; `root`: the folder of its project. */
export type SaveTarget = { root: string | null; task?: Task | undefined }

/** The named task, else that of the session, else the current one of the session's project or of the place. */
export async function saveTarget(
  tx: Tx,
  caller: Caller,
  { task_id, project: name, session_id }: Wanted,
): Promise<SaveTarget> {
  const session = session_id === undefined ? undefined : await findRecord(tx, 'session', session_id)
  const id = task_id ?? session?.task_context_id ?? undefined
  const task = id === undefined ? undefined : await findRecord(tx, 'task_context', id)
  const place = placeOf(caller, name)
  const of = task?.project_id ?? session?.project_id ?? undefined
  const project = of === undefined ? await findProject(tx, place) : await findRecord(tx, 'project', of)
  if (!project) return { root: 'root' in place ? place.root : null }
  return { root: project.root, task: task ?? (await currentTask(tx, project)) }
}

interface Wanted {
  task_id?: string | undefined
  project?: string | undefined
  session_id?: string | undefined
}
