import type { Db, TenantScope } from '@story-portal/shared/db'
import { sql } from 'kysely'

export interface Seeding {
  project_id: string
  tasks: number
  versions: number
}

const BATCH = 2_000

export const seededTask = (i: number) => `tcx_bench${String(i).padStart(8, '0')}`

/**
 * Tasks of a project with versions of about 900 bytes each, and for every row the stream and an event as the product would have
 * written them (their data left empty): written in bulk, because a hundred thousand tasks by calls would take an hour.
 */
export async function seedContexts(
  db: Db,
  scope: TenantScope,
  { project_id, tasks, versions }: Seeding,
): Promise<void> {
  const batch = Math.max(1, Math.floor(BATCH / versions))
  for (let from = 0; from < tasks; from += batch)
    await seedBatch(db, scope, { project_id, versions, from, to: Math.min(tasks, from + batch) - 1 })
  // As autovacuum and the platform's own maintenance do after a while: plans that were made for empty tables measure nothing.
  await db.tx({ kind: 'owner' }, (tx) => sql`analyze`.execute(tx))
}

interface Batch {
  project_id: string
  versions: number
  from: number
  to: number
}

async function seedBatch(db: Db, scope: TenantScope, { project_id, versions, from, to }: Batch): Promise<void> {
  const tenant = scope.tenant_id
  const task = sql`'tcx_bench' || lpad(i::text, 8, '0')`
  const tasks = sql`generate_series(${from}::int, ${to}::int) as i`
  const saves = sql`${tasks}, generate_series(1, ${versions}::int) as n`
  const version = sql`'cvn_' || i || '_' || n`
  const at = sql`core.now() - interval '30 days' + i * interval '1 second'`
  // One word of 20,000 is rare, one of 50 is everywhere; the rest is what notes are made of.
  const text = sql`'step ' || n || ' of work on module' || (i % 20000) || ' in area' || (i % 50) || ': '
    || repeat('the parser reads tokens and the tests of the lexer pass again ', 12)`
  const event = sql`tenant_id, stream, version, id, type, schema_version, source, time, actor, data, position`
  const rest = sql`1, 'bench', ${at}, 'user:bench', '{}'::jsonb, nextval('core.events_position')`
  await db.tx(scope, async (tx) => {
    await sql`insert into core.streams select ${tenant}, 'task_context/' || ${task}, ${versions}::int + 1 from ${tasks}`.execute(
      tx,
    )
    await sql`insert into core.streams select ${tenant}, 'context_version/' || ${version}, 1 from ${saves}`.execute(tx)
    await sql`insert into core.events (${event}) select ${tenant}, 'task_context/' || ${task}, ${versions}::int + 1,
      'evt_t' || i, 'task_context.updated', ${rest} from ${tasks}`.execute(tx)
    await sql`insert into core.events (${event}) select ${tenant}, 'context_version/' || ${version}, 1,
      'evt_' || i || '_' || n, 'context_version.created', ${rest} from ${saves}`.execute(tx)
    await sql`insert into core.task_contexts (tenant_id, id, version, created_at, updated_at, created_by, project_id, title, head, status)
      select ${tenant}, ${task}, ${versions}::int + 1, ${at}, ${at}, 'user:bench', ${project_id}, 'Task ' || i, ${versions}::int, 'active' from ${tasks}`.execute(
      tx,
    )
    await sql`insert into core.context_versions (tenant_id, id, version, created_at, updated_at, created_by, task_context_id, number, body, sha256)
      select ${tenant}, ${version}, 1, ${at}, ${at}, 'user:bench', ${task}, n,
        jsonb_build_object('goal', 'Move module' || (i % 20000), 'next_action', 'Run step ' || (n + 1), 'notes', ${text})::text, repeat('0', 64)
      from ${saves}`.execute(tx)
    await sql`insert into core.context_search (tenant_id, task_context_id, project_id, saved_at, title, body)
      select ${tenant}, ${task}, ${project_id}, ${at}, 'Task ' || i, ${text} from ${tasks}, (select ${versions}::int as n) last`.execute(
      tx,
    )
    await sql`insert into core.embeddings (tenant_id, kind, item_id, model, vector)
      select ${tenant}, 'task_context', ${task}, 'hash-256-v1', (select array_agg((random() - 0.5)::real) from generate_series(1, 256 + i * 0)) from ${tasks}`.execute(
      tx,
    )
  })
}
