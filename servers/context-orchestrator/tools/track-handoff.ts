import type { Caller } from '@story-portal/shared/auth'
import { createRecord, findRecord, getRecord, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { badInput, errors } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { sql } from 'kysely'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { placeOf } from '../place.ts'
import { activeRole } from '../role/assignments.ts'
import { judge } from '../role/gate.ts'
import { assertParty, type Party, partyOf } from '../role/handoff-party.ts'
import { rolesFor } from '../role/role-context.ts'
import { type Roles, roleNamed } from '../role/roles.ts'
import { ProjectName, RoleName, SessionId, TaskId } from '../schema.ts'
import { findProject, findTask, lockTask, readVersion, type Task } from '../store.ts'

export default defineTool({
  name: 'track_handoff',
  description:
    "Hands a task over with a note, once the giving role's gate is met; only the receiver accepts or rejects, only the giver withdraws; list shows what is open. To judge it, call checkpoint_quality.",
  effect: 'update',
  idempotent: false,
  input: {
    action: z.enum(['offer', 'accept', 'reject', 'withdraw', 'list']),
    handoff_id: z.string().max(64).optional().describe('hof_...'),
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    to_role: RoleName.optional(),
    recipient: z.string().trim().min(1).max(200).optional().describe('A subject (user:...), session or assistant'),
    note: z.string().trim().min(1).max(4000).optional().describe('Of offer: what to know'),
    artifacts: z.array(z.string().min(1).max(500)).max(50).default([]).describe('Paths or ids'),
    force: z.string().trim().min(1).max(2000).optional().describe('Why with a closed gate'),
    session_id: SessionId.optional(),
    reason: z.string().trim().min(1).max(2000).optional().describe('Of reject'),
  },
  output: {
    handoff: z.looseObject({ handoff_id: z.string(), status: z.string() }).nullable(),
    open: z.array(z.looseObject({ handoff_id: z.string() })),
  },
  prepare: (wanted, ctx) => rolesFor(ctx, wanted),
  async run(args, { tx, caller }, known): Promise<Tracked> {
    if (args.action === 'list') return { handoff: null, open: await listOpen(tx, caller, args) }
    const party = await partyOf(tx, caller, args.session_id)
    const handoff =
      args.action === 'offer' ? await offer(tx, args, { caller, party, known }) : await decide(tx, args, party)
    return { handoff: shown(handoff), open: [] }
  },
})

type Handoff = RecordOf<'handoff'>

interface Tracked {
  handoff: ReturnType<typeof shown> | null
  open: ReturnType<typeof shown>[]
}

interface Args {
  action: 'offer' | 'accept' | 'reject' | 'withdraw' | 'list'
  handoff_id?: string | undefined
  task_id?: string | undefined
  project?: string | undefined
  to_role?: string | undefined
  recipient?: string | undefined
  note?: string | undefined
  artifacts: string[]
  force?: string | undefined
  session_id?: string | undefined
  reason?: string | undefined
}

function shown({ id, task_context_id, number, ...handoff }: Handoff) {
  const { from_role, to_role, recipient, note, artifacts, forced, status, decided_by, reason, created_at } = handoff
  const who = { from_role, offered_by: handoff.offered_by ?? handoff.created_by, to_role, recipient, decided_by }
  return {
    handoff_id: id,
    task_id: task_context_id,
    version: number,
    ...who,
    note,
    artifacts,
    forced,
    status,
    reason,
    created_at,
  }
}

async function offer(
  tx: Tx,
  args: Args,
  { caller, party, known }: { caller: Caller; party: Party; known: Roles },
): Promise<Handoff> {
  const { note, to_role, recipient, artifacts, force } = args
  if (note === undefined) throw badInput('note', 'is needed with action offer')
  if (to_role === undefined && recipient === undefined) throw badInput('to_role', 'or recipient is needed')
  if (to_role !== undefined) roleNamed(known, to_role)
  const wanted = args.task_id ?? party.session?.task_context_id ?? undefined
  const task = await lockTask(tx, (await findTask(tx, wanted, placeOf(caller, args.project))).id)
  await assertReachable(tx, task, [party.session?.id, recipient])
  const from = (await activeRole(tx, task.id, party.session?.id))?.role
  const { passes, score, unmet } = judge(
    await readVersion(tx, task.id, task.head),
    from === undefined ? undefined : roleNamed(known, from),
  )
  if (!passes && force === undefined)
    throw faults.gateClosed(
      { unmet: unmet.join(' ') },
      { details: { faults: unmet.map((message) => ({ path: 'task_id', message })) } },
    )
  return createRecord(tx, 'handoff', {
    ...{ project_id: task.project_id, task_context_id: task.id, number: task.head, status: 'pending' },
    ...{ from_role: from ?? null, to_role: to_role ?? null, recipient: recipient ?? null, note, artifacts },
    forced: passes ? null : { reason: force, score, unmet },
    offered_by: party.session?.id ?? party.subject,
  })
}

/** A session that gives or gets a task works in its project; nobody could ever accept for one that is over. */
async function assertReachable(tx: Tx, task: Task, ids: readonly (string | undefined)[]): Promise<void> {
  for (const id of ids) {
    if (id === undefined || !SessionId.safeParse(id).success) continue
    const session = await findRecord(tx, 'session', id)
    if (!session) throw errors.notFound({ kind: 'session', id }, { hint: 'Nothing was handed over.' })
    if (session.status !== 'active') throw faults.sessionOver({ session: id, status: session.status })
    if (session.project_id !== task.project_id) throw faults.otherProject({ task: task.id })
  }
}

const ENDS = { accept: 'accepted', reject: 'rejected', withdraw: 'withdrawn' } as const

/** Of several who decide at once, under its lock, one does; the same decision by the same one again changes nothing. */
async function decide(tx: Tx, { action, handoff_id, reason }: Args, party: Party): Promise<Handoff> {
  if (handoff_id === undefined) throw badInput('handoff_id', `is needed with action ${action}`)
  if (action === 'reject' && reason === undefined) throw badInput('reason', 'is needed with action reject')
  const decided_by = party.session?.id ?? party.subject
  const handoff = await findRecord(tx, 'handoff', handoff_id, { forUpdate: true })
  if (!handoff)
    throw errors.notFound(
      { kind: 'handoff', id: handoff_id },
      { hint: 'track_handoff with action list shows the open ones.' },
    )
  const status = ENDS[action as keyof typeof ENDS]
  if (handoff.status !== 'pending') {
    if (handoff.status === status && handoff.decided_by === decided_by) return handoff
    throw faults.handoffDecided({ handoff: handoff_id, status: handoff.status })
  }
  await assertParty(tx, handoff, action as keyof typeof ENDS, party)
  return updateRecord(tx, 'handoff', handoff_id, { status, decided_by, reason: reason ?? null })
}

async function listOpen(tx: Tx, caller: Caller, { task_id, project: name }: Args) {
  const place = placeOf(caller, name)
  const task = task_id === undefined ? undefined : await findTask(tx, task_id, place)
  const project = task?.project_id ?? (await findProject(tx, place))?.id
  if (project === undefined) return []
  const { rows } = await sql<{ id: string }>`
    select id from core.handoffs where tenant_id = current_setting('app.tenant') and project_id = ${project}
      ${task === undefined ? sql`` : sql`and task_context_id = ${task.id}`}
      and status = 'pending' and deleted_at is null order by created_at, id limit 100`.execute(tx)
  const open = []
  for (const { id } of rows) open.push(shown(await getRecord(tx, 'handoff', id)))
  return open
}
