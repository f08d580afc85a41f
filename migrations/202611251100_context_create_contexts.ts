import { recordTable } from '@story-portal/shared/data'
import { type Kysely, sql } from 'kysely'

/** Projects, their tasks' contexts, and every version of each; a version is written once and never changed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'project',
    table: 'core.projects',
    columns: 'name text not null, root text, unique (tenant_id, name), unique (tenant_id, root)',
    search: ['name'],
  })
  await recordTable(db, {
    kind: 'task_context',
    table: 'core.task_contexts',
    columns: `project_id text not null, title text not null, head int not null check (head >= 0),
      foreign key (tenant_id, project_id) references core.projects on delete cascade`,
    search: ['title'],
  })
  await sql`create index on core.task_contexts (tenant_id, project_id, updated_at)`.execute(db)
  await recordTable(db, {
    kind: 'context_version',
    table: 'core.context_versions',
    columns: `task_context_id text not null, number int not null check (number > 0), body text not null,
      sha256 text not null, summary text, unique (tenant_id, task_context_id, number),
      foreign key (tenant_id, task_context_id) references core.task_contexts on delete cascade`,
    search: ['summary'],
  })
  await sql`
    create trigger unchanged before update on core.context_versions
    for each row execute function core.refuse_change()`.execute(db)
}
