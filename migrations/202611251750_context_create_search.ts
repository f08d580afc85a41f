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
  await latestFunction(db)
  await searchFunction(db)
  await fill(db)
}

/**
 * The tasks of a project that were saved last. Without sorts and bitmaps the index is walked from its newest end: before the first
 * analyze (and the embedded database has no autovacuum) the planner believes that a project has one task, and would sort all.
 */
async function latestFunction(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function core.latest_contexts(project text, most int) returns setof text
    language sql stable set search_path = pg_catalog set enable_sort = off set enable_bitmapscan = off as $$
      select s.task_context_id from core.context_search s
      where s.tenant_id = current_setting('app.tenant') and s.project_id = project order by s.saved_at desc limit most
    $$`.execute(db)
}

/**
 * Words that many have are found among the tasks saved last, and only the others are looked up in the index of words: so neither a
 * word that nobody has nor one that everybody has reads everything. There tenant and project are compared as expressions, so that
 * the index of the words is taken.
 */
async function searchFunction(db: Kysely<unknown>): Promise<void> {
  const lately = sql.raw(`core.latest_contexts(project, 3000) as l(id), lateral (
          select s.task_context_id, s.words, s.saved_at from core.context_search s
          where s.tenant_id = current_setting('app.tenant') and s.task_context_id = l.id limit 1
        ) r where r.words @@ q`)
  await sql`
    create function core.search_contexts(project text, query text, most int)
    returns table (task_context_id text, rank float4)
    language plpgsql stable security definer set search_path = pg_catalog as $$
    declare
      q tsquery := websearch_to_tsquery('english', query) || websearch_to_tsquery('simple', query);
    begin
      if (select count(*) from (select from ${lately} limit most) hits) = most then
        return query select r.task_context_id, ts_rank(r.words, q) as rank from ${lately}
          order by rank desc, r.saved_at desc, r.task_context_id limit most;
      else
        return query select s.task_context_id, ts_rank(s.words, q) as rank from core.context_search s
          where s.words @@ q and s.tenant_id || '' = current_setting('app.tenant') and s.project_id || '' = project
          order by rank desc, s.saved_at desc, s.task_context_id limit most;
      end if;
    end $$`.execute(db)
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
