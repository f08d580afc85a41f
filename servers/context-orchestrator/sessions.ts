import { findRecord, inMs, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'
import { sql } from 'kysely'
import { faults } from './errors.ts'

export type Session = RecordOf<'session'>

/** When a session gave its last sign of life; a column of core.sessions s, with its heartbeats left joined as h. */
const LAST_SIGN = sql`greatest(s.created_at, s.last_heartbeat_at, h.at)`
const WITH_HEARTBEATS = sql`
  core.sessions s left join core.session_heartbeats h on h.tenant_id = s.tenant_id and h.session_id = s.id`

/** A session by its id, locked. */
export async function lockSession(tx: Tx, id: string): Promise<Session> {
  const session = await findRecord(tx, 'session', id, { forUpdate: true })
  if (session) return session
  throw errors.notFound({ kind: 'session', id }, { hint: 'start_session begins one.' })
}

/** A session that may still act, locked; E14030 when it is over. */
export async function aliveSession(tx: Tx, id: string): Promise<Session> {
  const session = await lockSession(tx, id)
  if (session.status !== 'active') throw faults.sessionOver({ session: id, status: session.status })
  return session
}

/** A sign of life, by the database's clock. Beside the record: a heartbeat is no change that the log has to keep. */
export async function beat(tx: Tx, id: string): Promise<string> {
  const { rows } = await sql<{ at: string }>`
    insert into core.session_heartbeats as h (tenant_id, session_id, at)
    values (current_setting('app.tenant'), ${id}, core.now())
    on conflict (tenant_id, session_id) do update set at = greatest(h.at, excluded.at)
    returning at`.execute(tx)
  return rows[0]?.at ?? ''
}

/** As clients see a session. */
export function shownSession({ id, status, assistant, client_session_id, task_context_id, ...session }: Session) {
  const { created_at, ended_at, recovered_by, recovered_at } = session
  return {
    ...{ session_id: id, status, assistant, client_session_id, task_id: task_context_id },
    ...{ started_at: created_at, ended_at, recovered_by, recovered_at },
  }
}

/** The living session that a client calls by this name in a project. */
export async function sessionOfClient(tx: Tx, projectId: string, clientId: string): Promise<Session | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from core.sessions
    where tenant_id = current_setting('app.tenant') and project_id = ${projectId}
      and client_session_id = ${clientId} and status = 'active' and deleted_at is null`.execute(tx)
  return rows[0] && lockSession(tx, rows[0].id)
}

/** The latest crashed or compacted session that a client called by this name in a project which the caller has locked, locked. */
export async function lostOfClient(tx: Tx, projectId: string, clientId: string): Promise<Session | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from core.sessions
    where tenant_id = current_setting('app.tenant') and project_id = ${projectId}
      and client_session_id = ${clientId} and status in ('crashed', 'compacted') and deleted_at is null
    order by created_at desc, id desc limit 1`.execute(tx)
  return rows[0] && lockSession(tx, rows[0].id)
}

/** The session that a client began last by this name in a project, whatever became of it, but for `except`. */
export async function latestOfClient(
  tx: Tx,
  projectId: string,
  { clientId, except }: { clientId: string; except?: string | undefined },
): Promise<Session | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from core.sessions
    where tenant_id = current_setting('app.tenant') and project_id = ${projectId}
      and client_session_id = ${clientId} and id <> ${except ?? ''} and deleted_at is null
    order by created_at desc, id desc limit 1`.execute(tx)
  return rows[0] && findRecord(tx, 'session', rows[0].id)
}

export interface Lost {
  session: Session
  last_sign_at: string
}

/** The sessions of a project that ended without handing over and were not taken over, the latest first. */
export async function lostSessions(tx: Tx, projectId: string, silenceMs: number, except?: string): Promise<Lost[]> {
  const { rows } = await sql<{ id: string; last_sign_at: string }>`
    select s.id, ${LAST_SIGN} as last_sign_at from ${WITH_HEARTBEATS}
    where s.tenant_id = current_setting('app.tenant') and s.project_id = ${projectId} and s.deleted_at is null
      and s.id <> ${except ?? ''}
      and (s.status in ('crashed', 'compacted') or (s.status = 'active' and ${isSilent(silenceMs)}))
    order by last_sign_at desc, s.id desc limit ${MOST_LOST}`.execute(tx)
  const found: Lost[] = []
  for (const { id, last_sign_at } of rows) {
    const session = await findRecord(tx, 'session', id)
    if (session) found.push({ session, last_sign_at })
  }
  return found
}

const MOST_LOST = 10

/** A lost session under its lock, if it is lost still: a sign of life may have come since it was looked for. */
export async function lockLost(tx: Tx, id: string, silenceMs: number): Promise<Session | undefined> {
  const session = await findRecord(tx, 'session', id, { forUpdate: true })
  if (session?.status === 'crashed' || session?.status === 'compacted') return session
  return session?.status === 'active' && (await isSilentNow(tx, id, silenceMs)) ? session : undefined
}

/** The latest takeover of a session of a project in the last hour, by another than `except`. */
export async function lastTakeover(tx: Tx, projectId: string, except?: string): Promise<Session | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from core.sessions
    where tenant_id = current_setting('app.tenant') and project_id = ${projectId} and status = 'recovered'
      and recovered_at > core.now() - interval '1 hour' and recovered_by is distinct from ${except ?? ''}
      and deleted_at is null
    order by recovered_at desc limit 1`.execute(tx)
  return rows[0] && findRecord(tx, 'session', rows[0].id)
}

/** Silent sessions of all tenants. */
export async function silentSessions(
  tx: Tx,
  silenceMs: number,
  limit: number,
): Promise<{ tenant_id: string; id: string }[]> {
  const { rows } = await sql<{ tenant_id: string; id: string }>`
    select s.tenant_id, s.id from ${WITH_HEARTBEATS}
    where s.status = 'active' and s.deleted_at is null and ${isSilent(silenceMs)} limit ${limit}`.execute(tx)
  return rows
}

/** Marks a session as crashed where it is silent still, under its lock. */
export async function markCrashed(tx: Tx, id: string, silenceMs: number): Promise<boolean> {
  const session = await findRecord(tx, 'session', id, { forUpdate: true })
  if (session?.status !== 'active') return false
  if (!(await isSilentNow(tx, id, silenceMs))) return false
  await updateRecord(tx, 'session', id, { status: 'crashed', ended_at: inMs(0) })
  return true
}

async function isSilentNow(tx: Tx, id: string, silenceMs: number): Promise<boolean> {
  const { rows } = await sql`
    select 1 from ${WITH_HEARTBEATS} where s.tenant_id = current_setting('app.tenant') and s.id = ${id}
      and ${isSilent(silenceMs)}`.execute(tx)
  return rows.length > 0
}

function isSilent(silenceMs: number) {
  return sql`${LAST_SIGN} <= core.now() - make_interval(secs => ${silenceMs / 1_000}::float8)`
}
