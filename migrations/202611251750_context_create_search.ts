import { tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/**
 * What is searched of each task: its title and its newest version, replaced with every save. The index can only be used outside
 * row-level security, because @@ is not leakproof: so a function asks, which belongs to the role that sees all tenants and
 * asks for the caller's own.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const words = (column: string) =>
    sql.raw(`to_tsvector('english', left(${column}, 20000)) || to_tsvector('simple', left(${column}, 20000))`)
  await sql`
    create table core.context_search (
      tenant_id text not null,
      task_context_id text not null,
      project_id text not null,
      saved_at timestamptz(3) not null,
      title text not null,
      body text not null,
      words tsvector generated always as (setweight(${words('title')}, 'A') || setweight(${words('body')}, 'B')) stored,
      primary key (tenant_id, task_context_id),
      foreign key (tenant_id, task_context_id) references core.task_contexts on delete cascade
    )`.execute(db)
  await sql`create index on core.context_search (tenant_id, project_id, saved_at desc)`.execute(db)
  await sql`create index on core.context_search using gin (words)`.execute(db)
  await tenantTable(db, 'core.context_search')
  await searchFunction(db)
  await fill(db)
}

/** Of what matches, the tasks saved last are ranked: a word that is everywhere must not rank everything. */
async function searchFunction(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function core.search_contexts(project text, query text, most int)
    returns table (task_context_id text, rank float4)
    language sql stable security definer set search_path = pg_catalog as $$
      with asked as (select websearch_to_tsquery('english', query) || websearch_to_tsquery('simple', query) as q),
      found as (
        select s.task_context_id, s.words, s.saved_at from core.context_search s, asked
        where s.tenant_id = current_setting('app.tenant') and s.project_id = project and s.words @@ asked.q
        order by s.saved_at desc limit 1000
      )
      select found.task_context_id, ts_rank(found.words, asked.q) as rank from found, asked
      order by rank desc, found.saved_at desc, found.task_context_id limit most
    $$`.execute(db)
  await sql`grant create on schema core to story_portal_system`.execute(db)
  await sql`alter function core.search_contexts(text, text, int) owner to story_portal_system`.execute(db)
  await sql`revoke create on schema core from story_portal_system`.execute(db)
  await sql`revoke all on function core.search_contexts(text, text, int) from public`.execute(db)
  await sql`grant execute on function core.search_contexts(text, text, int) to story_portal_app`.execute(db)
}

/** What was saved before is found too; its vector comes with its next save. */
async function fill(db: Kysely<unknown>): Promise<void> {
  await sql`set local role story_portal_system`.execute(db)
  await sql`
    insert into core.context_search (tenant_id, task_context_id, project_id, saved_at, title, body)
    select t.tenant_id, t.id, t.project_id, v.created_at, t.title, v.body
    from core.task_contexts t join core.context_versions v
      on v.tenant_id = t.tenant_id and v.task_context_id = t.id and v.number = t.head
    where t.deleted_at is null`.execute(db)
  await sql`reset role`.execute(db)
}
