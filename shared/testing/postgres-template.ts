import { migrate, onServer, openDatabase } from '../db/index.ts'
import { schemaHash } from './schema-hash.ts'
import { silentLog, testConfig } from './test-config.ts'

const TEMPLATE_LOCK = 4_712_381_998

export interface DatabaseClone {
  url: string
  drop(): Promise<void>
}

/** A database of its own on the server, cloned from the migrated template of this schema, which the first one makes. */
export async function cloneTemplate(server: string, name: string): Promise<DatabaseClone> {
  const template = `sp_template_${schemaHash()}`
  await onServer(server, async (query) => {
    await query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
    const found = await query('select 1 from pg_database where datname = $1', [template])
    if (found.length === 0) await makeTemplate(server, template, query)
    await query(`create database ${name} template ${template}`)
  })
  return {
    url: withDatabase(server, name),
    drop: () => onServer(server, async (query) => void (await query(`drop database if exists ${name} with (force)`))),
  }
}

/** Migrated under another name first: a template that carries its name is complete. */
async function makeTemplate(
  server: string,
  template: string,
  query: (text: string) => Promise<unknown>,
): Promise<void> {
  const draft = `${template}_new`
  await query(`drop database if exists ${draft} with (force)`)
  await query(`create database ${draft} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'`)
  const db = await openDatabase(testConfig({ DATABASE_URL: withDatabase(server, draft) }), { log: silentLog })
  try {
    await migrate(db)
  } finally {
    await db.close()
  }
  await query(`alter database ${draft} rename to ${template}`)
}

/** The same server and login, another database. */
export function withDatabase(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
