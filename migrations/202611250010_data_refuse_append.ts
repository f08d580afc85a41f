import { type Kysely, sql } from 'kysely'

/**
 * Ends an append that expects a stream at another version from inside its own statement, which is sent together with COMMIT and
 * whose rows nobody reads.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function core.refuse_append(tenant text, stream_name text, expected int) returns text language plpgsql as $$
    declare
      actual int := coalesce((
        select s.version from core.streams s where s.tenant_id = tenant and s.stream = stream_name
      ), 0);
    begin
      raise exception using errcode = 'SP004',
        message = format('stream %s is at version %s, not %s', stream_name, actual, expected),
        detail = json_build_object('stream', stream_name, 'actual', actual, 'expected', expected)::text;
    end $$`.execute(db)
}
