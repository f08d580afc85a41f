import { recordTable } from '@story-portal/shared/data'
import { type Kysely, sql } from 'kysely'

/** Who plays which role on a task, and what was handed from one to another. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const task = `project_id text not null, task_context_id text not null,
    foreign key (tenant_id, project_id) references core.projects on delete cascade,
    foreign key (tenant_id, task_context_id) references core.task_contexts on delete cascade`
  await recordTable(db, {
    kind: 'role_assignment',
    table: 'core.role_assignments',
    columns: `${task}, role text not null, session_id text, note text, status text not null,
      foreign key (tenant_id, session_id) references core.sessions on delete set null (session_id)`,
    search: ['note'],
    states: { '': ['active'], active: ['ended'] },
  })
  await sql`
    create unique index one_role on core.role_assignments (tenant_id, task_context_id, coalesce(session_id, ''))
    where status = 'active' and deleted_at is null`.execute(db)
  await recordTable(db, {
    kind: 'handoff',
    table: 'core.handoffs',
    columns: `${task}, number int not null, from_role text, to_role text, recipient text, note text not null,
      artifacts jsonb not null, forced jsonb, decided_by text, reason text, status text not null`,
    search: ['note'],
    states: { '': ['pending'], pending: ['accepted', 'rejected', 'withdrawn'] },
  })
  await sql`create index on core.role_assignments (tenant_id, project_id)`.execute(db)
  await sql`create index on core.role_assignments (tenant_id, session_id)`.execute(db)
  await sql`create index on core.handoffs (tenant_id, task_context_id)`.execute(db)
  await sql`create index on core.handoffs (tenant_id, project_id)`.execute(db)
}
