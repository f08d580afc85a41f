import { migrate, onServer, openDatabase } from '../db/index.ts'
import { schemaHash } from './schema-hash.ts'
import { silentLog, testConfig } from './test-config.ts'

const TEMPLATE_LOCK = 4_712_381_998

export interface OwnDatabase {
  url: string
  drop(): Promise<void>
}

/** A database of its own on the server, cloned from the migrated template of this schema, which the first one makes. */
export async function cloneTemplate(server: string, name: string): Promise<OwnDatabase> {
  const template = `sp_template_${schemaHash()}`
  await onServer(server, async (query) => {
    await query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
    const found = await query('select 1 from pg_database where datname = $1', [template])
    if (found.length === 0) await makeTemplate(server, template, query)
    await query(`create database ${name} template ${template}`)
  })
  return own(server, name)
}

/** An empty database of its own on the server. */
export async function createDatabase(server: string, name: string): Promise<OwnDatabase> {
  await onServer(server, (query) => query(createStatement(name)))
  return own(server, name)
}

function own(server: string, name: string): OwnDatabase {
  return {
    url: withDatabase(server, name),
    drop: () => onServer(server, async (query) => void (await query(`drop database if exists ${name} with (force)`))),
  }
}

/** The same sort order everywhere, whatever the server's own is. */
function createStatement(name: string): string {
  return `create database ${name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'`
}

/** Migrated under another name first: a template that carries its name is complete. */
async function makeTemplate(
  server: string,
  template: string,
  query: (text: string) => Promise<unknown>,
): Promise<void> {
  const draft = `${template}_new`
  await query(`drop database if exists ${draft} with (force)`)
  await query(createStatement(draft))
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
