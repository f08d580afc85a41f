import { recordTable } from '@story-portal/shared/data'
import { type Kysely, sql } from 'kysely'

/** How tasks of a project hang together, and which tasks and goals of planning they stand for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'task_link',
    table: 'core.task_links',
    columns: `project_id text not null, task_context_id text not null, relation text not null, target_id text not null,
      check (relation in ('depends_on', 'related_to', 'parent')), check (task_context_id <> target_id),
      foreign key (tenant_id, project_id) references core.projects on delete cascade,
      foreign key (tenant_id, task_context_id) references core.task_contexts on delete cascade`,
    search: [],
  })
  await sql`
    create unique index one_link on core.task_links (tenant_id, task_context_id, relation, target_id)
    where deleted_at is null`.execute(db)
  await sql`create index on core.task_links (tenant_id, target_id)`.execute(db)
  await sql`create index on core.task_links (tenant_id, project_id, relation)`.execute(db)
}
