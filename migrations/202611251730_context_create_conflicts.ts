import { recordTable } from '@story-portal/shared/data'
import { type Kysely, sql } from 'kysely'

/** What contradicts itself between versions and tasks of a project, each conflict once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'context_conflict',
    table: 'core.context_conflicts',
    columns: `project_id text not null, task_context_id text not null, kind text not null, identity text not null,
      explanation text not null, sides jsonb not null, status text not null, outcome jsonb,
      unique (tenant_id, project_id, identity),
      foreign key (tenant_id, project_id) references core.projects on delete cascade,
      foreign key (tenant_id, task_context_id) references core.task_contexts on delete cascade`,
    search: ['explanation'],
    states: { '': ['open'], open: ['resolved', 'dismissed'], resolved: ['open'] },
  })
  await sql`
    create index on core.context_conflicts (tenant_id, task_context_id) where status = 'open' and deleted_at is null`.execute(
    db,
  )
}
