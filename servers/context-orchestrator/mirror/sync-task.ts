import path from 'node:path'
import { hashJson } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'

import { type Checkpoint, Updates } from '../checkpoint.ts'
import { findConflict, storeFound } from '../conflicts/found.ts'
import { changedParts } from '../merge.ts'
import { readVersion, type Task } from '../store.ts'
import { readMirror, writeMirror } from './mirror-folder.ts'
import { fileName, type Mirrored, parsed, renderJson, renderMarkdown, versionIn } from './render.ts'

export interface Synced {
  path: string
  task_id: string
  /** `edited`: by hand, left as it is, with its conflict; `foreign`: nothing that was written here. */
  state: 'written' | 'unchanged' | 'edited' | 'foreign'
  conflict_id?: string
}

const FILES = [
  ['.json', renderJson],
  ['.md', renderMarkdown],
] as const

/** Brings the two files of a task up to its newest version, but for what somebody has edited. */
export async function syncTask(tx: Tx, task: Task, folder: string): Promise<Synced[]> {
  const newest = await mirrored(tx, task, task.head)
  const synced: Synced[] = []
  for (const [ending, render] of FILES) {
    const name = `${fileName(newest)}${ending}`
    const file = path.join(folder, name)
    const wanted = render(newest)
    const text = await readMirror(file)
    const known = { path: name, task_id: task.id }
    if (text === undefined) synced.push({ ...known, state: 'foreign' })
    else if (text === wanted) synced.push({ ...known, state: 'unchanged' })
    else {
      const edit = text === null ? undefined : await editOf(tx, task, { text, render, name })
      if (edit?.open) synced.push({ ...known, state: 'edited', conflict_id: edit.conflict_id })
      else {
        await writeMirror(file, wanted)
        synced.push({ ...known, state: 'written' })
      }
    }
  }
  return synced
}

async function mirrored(tx: Tx, { id, title }: Task, version: number): Promise<Mirrored> {
  const { rows } = await sql<{ created_at: string }>`
    select created_at from core.context_versions
    where tenant_id = current_setting('app.tenant') and task_context_id = ${id} and number = ${version}`.execute(tx)
  const checkpoint = await readVersion(tx, id, version)
  return { task_id: id, title, version, saved_at: rows[0]?.created_at ?? '', checkpoint }
}

interface File {
  text: string
  name: string
  render(version: Mirrored): string
}

/**
 * The edit of a file that is not, to the letter, what the version that it names looks like. It is open until somebody has settled
 * its conflict: settled, the file may be written again; dismissed, it is the editor's own.
 */
async function editOf(tx: Tx, task: Task, { text, render, name }: File) {
  const version = versionIn(text)
  const base = version === undefined || version > task.head ? undefined : await mirrored(tx, task, version)
  if (base && render(base) === text) return undefined
  const about = [task.id, name, hashJson(text)]
  const known = await findConflict(tx, task.project_id, { kind: 'mirror_edit', about })
  if (known?.status === 'resolved') return { open: false, conflict_id: known.id }
  const yours = name.endsWith('.json') ? editedParts(text, base?.checkpoint ?? {}) : undefined
  const conflict = await storeFound(tx, task.project_id, {
    kind: 'mirror_edit',
    task_context_id: task.id,
    about,
    explanation: `${name} was edited by hand; version ${task.head} is not written over it.`,
    sides: {
      file: name,
      based_on: version ?? null,
      current_version: task.head,
      ...(yours ? { yours } : { text: text.slice(0, 20_000) }),
    },
  })
  return { open: true, conflict_id: conflict.id }
}

/** The parts that an edited JSON changes, null where it removes one; undefined when it can not be read as a checkpoint. */
function editedParts(text: string, base: Checkpoint): Updates | undefined {
  const read = Updates.safeParse(parsed(text)?.['checkpoint'])
  if (!read.success) return undefined
  const after = Object.fromEntries(Object.entries(read.data).filter(([, value]) => value !== null)) as Checkpoint
  return Object.fromEntries(changedParts(base, after).map((part) => [part, after[part] ?? null])) as Updates
}
