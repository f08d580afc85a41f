import { type RawBuilder, sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import type { InvocationRecord, LeaseProof } from './types.ts'

/**
 * When the lease of a task or call ends, as SQL over a row with `tenant_id`, `id`, `fence` and `lease_expires_at`: as its holder
 * has extended it last, else as the record has it. An extension under an older fence was another holder's and counts no more.
 */
export function leaseEnd(row: 'tasks' | 'invocations' | 'i'): RawBuilder<string | null> {
  const of = (column: string) => sql.ref(`${row}.${column}`)
  return sql`coalesce((select x.expires_at from core.lease_extensions x where x.tenant_id = ${of('tenant_id')}
    and x.id = ${of('id')} and x.fence = ${of('fence')}), ${of('lease_expires_at')})`
}

/** Lets the lease of a held call end so many milliseconds from now, sooner too; false when it is not held any more. */
export async function extendInvocation(
  tx: Tx,
  { id, fence }: Pick<InvocationRecord, 'id' | 'fence'>,
  leaseMs: number,
): Promise<boolean> {
  const { rows } = await sql`
    with held as (
      select tenant_id, id, fence from core.invocations
      where tenant_id = current_setting('app.tenant') and id = ${id} and fence = ${fence} and status = 'running' for share
    )
    insert into core.lease_extensions (tenant_id, id, fence, expires_at)
    select tenant_id, id, fence, ${fromNow(leaseMs)} from held
    on conflict (tenant_id, id) do update set fence = excluded.fence, expires_at = excluded.expires_at
    returning 1 as held`.execute(tx)
  return rows.length === 1
}

/** Ends the leases of those of the given calls that still run and meet the condition; how many. */
export async function endInvocationLeases(
  tx: Tx,
  ids: readonly string[],
  condition: ReturnType<typeof sql>,
): Promise<number> {
  const { rows } = await sql`
    with held as (
      select tenant_id, id, fence from core.invocations where tenant_id = current_setting('app.tenant')
        and id = any(${[...ids]}::text[]) and status = 'running' and ${condition} order by id for share
    )
    insert into core.lease_extensions (tenant_id, id, fence, expires_at)
    select tenant_id, id, fence, core.now() from held
    on conflict (tenant_id, id) do update set fence = excluded.fence, expires_at = excluded.expires_at
    returning 1 as ended`.execute(tx)
  return rows.length
}

/** Extends the lease of a claimed task, never shortening it, and says when it ends; undefined when the proof is not of its lease. */
export async function extendTask(
  tx: Tx,
  { task_id, fence, lease_token }: { task_id: string } & LeaseProof,
  leaseMs: number,
): Promise<string | undefined> {
  const proven = [
    ...(fence === undefined ? [] : [sql`fence = ${fence}`]),
    ...(lease_token === undefined ? [] : [sql`lease_token = ${lease_token}`]),
  ]
  if (proven.length === 0) return undefined
  const { rows } = await sql<{ expires_at: string }>`
    with held as (
      select tenant_id, id, fence, lease_expires_at from core.tasks
      where tenant_id = current_setting('app.tenant') and id = ${task_id} and status = 'running'
        and ${sql.join(proven, sql` and `)} for share
    )
    insert into core.lease_extensions as x (tenant_id, id, fence, expires_at)
    select tenant_id, id, fence, greatest(lease_expires_at, ${fromNow(leaseMs)}) from held
    on conflict (tenant_id, id) do update set fence = excluded.fence, expires_at = greatest(excluded.expires_at,
      case when x.fence = excluded.fence then x.expires_at end)
    returning expires_at`.execute(tx)
  return rows[0]?.expires_at
}

/** The given tasks as a client is to see them: with the end of their lease and not what it was when they were claimed. */
export async function withLeaseEnds<T extends { id: string; lease_expires_at: string | null }>(
  tx: Tx,
  tasks: readonly T[],
): Promise<T[]> {
  const leased = tasks.flatMap((task) => (task.lease_expires_at === null ? [] : [task.id]))
  if (leased.length === 0) return [...tasks]
  const { rows } = await sql<{ id: string; ends: string }>`
    select id, ${leaseEnd('tasks')} as ends from core.tasks
    where tenant_id = current_setting('app.tenant') and id = any(${leased}::text[])`.execute(tx)
  const ends = new Map(rows.map((row) => [row.id, row.ends]))
  return tasks.map((task) => ({ ...task, lease_expires_at: ends.get(task.id) ?? task.lease_expires_at }))
}

/** Removes what holders left behind that are gone; only those that ended a while ago, because most are extended again. */
export async function removeOldExtensions(tx: Tx): Promise<void> {
  const held = (table: 'tasks' | 'invocations') => sql`exists (select from core.${sql.raw(table)} r
    where r.tenant_id = x.tenant_id and r.id = x.id and r.fence = x.fence and r.status = 'running')`
  await sql`
    delete from core.lease_extensions x where x.expires_at <= core.now() - interval '1 minute'
      and not ${held('tasks')} and not ${held('invocations')}`.execute(tx)
}

function fromNow(ms: number) {
  return sql`core.now() + ${ms}::float8 * interval '1 millisecond'`
}
