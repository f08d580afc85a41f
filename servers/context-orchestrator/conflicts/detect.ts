import type { Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'
import type { Checkpoint } from '../checkpoint.ts'
import type { World } from '../drift/world.ts'
import { endOf } from '../graph/links.ts'
import type { Found } from './found.ts'

/** An active or completed task with its newest version, and how many living sessions work on it. */
interface Seen {
  id: string
  title: string
  status: string
  checkpoint: Checkpoint
  world: World | null
  sessions: string[]
}

/** Newest first; older ones are hardly worked on at once. */
const MOST_TASKS = 500

/** What the detectors of a project find now; version divergences are stored by the save that meets them. */
export async function detect(tx: Tx, projectId: string): Promise<Found[]> {
  const tasks = await seenTasks(tx, projectId)
  const active = tasks.filter(({ status }) => status === 'active')
  const pairs = active.flatMap((a, i) => active.slice(i + 1).map((b) => [a, b] as const))
  return [
    ...pairs.flatMap(([a, b]) => fileConflicts(a, b)),
    ...pairs.flatMap(([a, b]) => [...lockCollisions(a, b), ...lockCollisions(b, a)]),
    ...tasks.flatMap(stateMismatches),
    ...(await unfinishedNeeds(tx, projectId)),
  ]
}

async function seenTasks(tx: Tx, projectId: string): Promise<Seen[]> {
  const { rows } = await sql<Omit<Seen, 'checkpoint'> & { body: string }>`
    select t.id, t.title, t.status, v.body, v.world, array(
      select s.id from core.sessions s where s.tenant_id = t.tenant_id and s.task_context_id = t.id
        and s.status = 'active' and s.deleted_at is null order by s.id) as sessions
    from core.task_contexts t join core.context_versions v
      on v.tenant_id = t.tenant_id and v.task_context_id = t.id and v.number = t.head
    where t.tenant_id = current_setting('app.tenant') and t.project_id = ${projectId} and t.status <> 'archived'
      and t.deleted_at is null order by t.updated_at desc, t.id limit ${MOST_TASKS}`.execute(tx)
  return rows.map(({ body, ...task }) => ({ ...task, checkpoint: JSON.parse(body) as Checkpoint }))
}

/** Both are worked on, and each has seen other bytes in the same file. */
function fileConflicts(a: Seen, b: Seen): Found[] {
  if (a.sessions.length === 0 || b.sessions.length === 0) return []
  const theirs = digestsOf(b)
  return [...digestsOf(a)].flatMap(([path, mine]) => {
    const other = theirs.get(path)
    if (other === undefined || other === mine) return []
    return [
      {
        kind: 'file_conflict' as const,
        task_context_id: a.id,
        about: [path, ...[a.id, b.id].toSorted()],
        explanation: `"${a.title}" and "${b.title}" are both worked on, and know ${path} with different contents.`,
        sides: { path, [a.id]: mine, [b.id]: other },
      },
    ]
  })
}

/** As the save saw them, else as the assistant said. */
function digestsOf({ checkpoint, world }: Seen): Map<string, string> {
  const known = new Map<string, string>()
  for (const { path, sha256 } of checkpoint.key_files ?? []) {
    const seen = world?.files[path]
    const digest = seen && 'sha256' in seen ? seen.sha256 : sha256
    if (digest !== undefined) known.set(path, digest)
  }
  return known
}

function lockCollisions(a: Seen, b: Seen): Found[] {
  const files = new Set((b.checkpoint.key_files ?? []).map(({ path }) => path))
  return (a.checkpoint.locked_elements ?? []).flatMap(({ element, reason }) =>
    files.has(element)
      ? [
          {
            kind: 'lock_collision' as const,
            task_context_id: a.id,
            about: [element, a.id, b.id],
            explanation: `"${a.title}" says that ${element} must not be changed; "${b.title}" has it as a key file.`,
            sides: { element, locked_by: a.id, reason: reason ?? null, used_by: b.id },
          },
        ]
      : [],
  )
}

function stateMismatches({ id, title, status, checkpoint, sessions }: Seen): Found[] {
  const mismatch = (about: string, explanation: string, sides: Record<string, unknown>): Found => {
    return { kind: 'state_mismatch', task_context_id: id, about: [id, about], explanation, sides }
  }
  const { pending_steps = [], blockers = [] } = checkpoint
  const found = []
  if (status === 'completed' && pending_steps.length + blockers.length > 0) {
    const why = `"${title}" is completed, but has steps to do or blockers.`
    found.push(mismatch('unfinished', why, { status, pending_steps, blockers }))
  }
  if (sessions.length > 1)
    found.push(mismatch('sessions', `${sessions.length} sessions work on "${title}" at once.`, { sessions }))
  return found
}

/** Completed, while something that it depends on is not. */
async function unfinishedNeeds(tx: Tx, projectId: string): Promise<Found[]> {
  const { rows } = await sql<{ id: string; title: string; target_id: string }>`
    select t.id, t.title, l.target_id from core.task_links l join core.task_contexts t
      on t.tenant_id = l.tenant_id and t.id = l.task_context_id
    where l.tenant_id = current_setting('app.tenant') and l.project_id = ${projectId} and l.relation = 'depends_on'
      and l.deleted_at is null and t.status = 'completed' and t.deleted_at is null order by l.id limit ${MOST_TASKS}`.execute(
    tx,
  )
  const found: Found[] = []
  for (const { id, title, target_id } of rows) {
    const need = await endOf(tx, target_id)
    if (!need || need.done) continue
    found.push({
      kind: 'state_mismatch',
      task_context_id: id,
      about: [id, 'needs', target_id],
      explanation: `"${title}" is completed, but "${need.title}", on which it depends, is ${need.status}.`,
      sides: { status: 'completed', needs: { id: need.id, status: need.status } },
    })
  }
  return found
}
