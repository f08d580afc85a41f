import type { Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'

/** A task (its id) or a file (its path) that a session works on. */
export type Lease = {
  thing: string
  session_id: string
  assistant: string | null
  /** Grows with every new holder: what an earlier one still sends can be told from what the present one does. */
  fence: string
  expires_at: string
}

/** The leases of a project on some things that count: not over by the database's clock, and their sessions alive. */
export async function heldLeases(tx: Tx, projectId: string, things: readonly string[]): Promise<Lease[]> {
  const { rows } = await sql<Lease>`
    select l.thing, l.session_id, s.assistant, l.fence::text as fence, l.expires_at
    from core.context_leases l join core.sessions s on s.tenant_id = l.tenant_id and s.id = l.session_id
    where l.tenant_id = current_setting('app.tenant') and l.project_id = ${projectId}
      and l.thing = any(${[...things]}::text[]) and l.expires_at > core.now() and s.status = 'active'
      and s.deleted_at is null order by l.thing`.execute(tx)
  return rows
}

/** Takes or extends leases that nobody else holds, in a project that the caller has locked. Who holds one already keeps its fence. */
export async function takeLeases(
  tx: Tx,
  { project_id, session_id, ttl_ms }: { project_id: string; session_id: string; ttl_ms: number },
  things: readonly string[],
): Promise<Lease[]> {
  await sql`
    insert into core.context_leases as l (tenant_id, project_id, thing, session_id, fence, expires_at)
    select current_setting('app.tenant'), ${project_id}, thing, ${session_id}, 1,
      core.now() + make_interval(secs => ${ttl_ms / 1_000}::float8)
    from unnest(${[...things]}::text[]) as thing
    on conflict (tenant_id, project_id, thing) do update set
      fence = l.fence + case when l.session_id = excluded.session_id and l.expires_at > core.now() then 0 else 1 end,
      session_id = excluded.session_id, expires_at = excluded.expires_at`.execute(tx)
  return heldLeases(tx, project_id, things)
}

/** Ends leases of a session, all without `things`; the rows stay, so that fences go on growing. Returns what was ended. */
export async function endLeases(tx: Tx, sessionId: string, things?: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ thing: string }>`
    update core.context_leases set expires_at = core.now()
    where tenant_id = current_setting('app.tenant') and session_id = ${sessionId} and expires_at > core.now()
      ${things === undefined ? sql`` : sql`and thing = any(${[...things]}::text[])`}
    returning thing`.execute(tx)
  return rows.map(({ thing }) => thing).sort()
}
