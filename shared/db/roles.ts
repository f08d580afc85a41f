import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import type { ServerError } from './translate.ts'

const ROLES = ['story_portal_app', 'story_portal_system'] as const

/** What two sessions meet when they make the same role or membership at the same moment; advisory locks end at a database. */
const RACED = new Set(['23505', '42710', 'XX000', '40001'])

/**
 * Makes the two roles, which belong to the whole cluster, and grants them to `logins` (and to whoever runs this). Safe when
 * migrations of several databases of one cluster run at once: each step looks first, and is repeated when another was faster.
 */
export async function ensureRoles<T>(db: Kysely<T>, logins: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await makeRoles(db, logins)
      return
    } catch (error) {
      if (attempt >= 10 || !RACED.has((error as ServerError).code ?? '')) throw error
    }
  }
}

async function makeRoles<T>(db: Kysely<T>, logins: readonly string[]): Promise<void> {
  const me = await sql<{ name: string }>`select current_user as name`.execute(db)
  const members = new Set([...logins, ...me.rows.map((row) => row.name)])
  for (const role of ROLES) {
    const existing = await sql`select 1 from pg_roles where rolname = ${role}`.execute(db)
    if (existing.rows.length === 0) await sql`create role ${sql.id(role)} nologin`.execute(db)
    for (const member of members) await grant(db, role, member)
  }
}

async function grant<T>(db: Kysely<T>, role: string, member: string): Promise<void> {
  const found = await sql<{ granted: boolean }>`
    select exists (
      select 1 from pg_auth_members m
      join pg_roles r on r.oid = m.roleid join pg_roles u on u.oid = m.member
      where r.rolname = ${role} and u.rolname = ${member}
    ) as granted from pg_roles where rolname = ${member}`.execute(db)
  // No row: a login of another cluster, or one that authenticates as somebody else; its first query will say so.
  if (found.rows[0]?.granted !== false) return
  await sql.raw(`grant ${role} to ${pg.escapeIdentifier(member)}`).execute(db)
}
