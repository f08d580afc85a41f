import { type Kysely, sql } from 'kysely'

/** A task's own state, and which task of its project is the current one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table core.task_contexts add column status text not null default 'active'`.execute(db)
  await sql`alter table core.task_contexts alter column status drop default`.execute(db)
  await sql`
    insert into core.state_transitions (kind, from_state, to_state) values
      ('task_context', '', 'active'), ('task_context', 'active', 'completed'), ('task_context', 'active', 'archived'),
      ('task_context', 'completed', 'active'), ('task_context', 'completed', 'archived'),
      ('task_context', 'archived', 'active')`.execute(db)
  await sql`
    create trigger state before insert or update of status on core.task_contexts
    for each row execute function core.check_transition('task_context')`.execute(db)
  await sql`
    alter table core.projects add column current_task_id text,
      add foreign key (tenant_id, current_task_id) references core.task_contexts on delete set null (current_task_id)`.execute(
    db,
  )
  await sql`create index on core.projects (tenant_id, current_task_id)`.execute(db)
}
