import { recordTable } from '@story-portal/shared/data'
import { type Kysely, sql } from 'kysely'

/** Named marks on versions, and which version a rollback brought back. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table core.context_versions
      add column restored_from int check (restored_from > 0 and restored_from < number)`.execute(db)
  await recordTable(db, {
    kind: 'context_checkpoint',
    table: 'core.context_checkpoints',
    columns: `task_context_id text not null, number int not null, label text not null, note text,
      foreign key (tenant_id, task_context_id, number)
        references core.context_versions (tenant_id, task_context_id, number) on delete cascade`,
    search: ['label', 'note'],
  })
  await sql`create index on core.context_checkpoints (tenant_id, task_context_id, number)`.execute(db)
  await sql`
    create trigger unchanged before update on core.context_checkpoints
    for each row execute function core.refuse_change()`.execute(db)
}
