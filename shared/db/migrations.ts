import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Migration } from 'kysely/migration'

/** The folder `migrations/` of the clone. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../migrations', import.meta.url))

const FILE = /^(\d{12}_[a-z0-9_]+)\.(ts|js)$/

/** Names of all migrations this version knows, in order. */
export function migrationNames(dir: string = MIGRATIONS_DIR): string[] {
  return readdirSync(dir)
    .flatMap((file) => FILE.exec(file)?.[1] ?? [])
    .sort()
}

/** Loads every migration before a transaction is open: importing takes time, and open transactions are ended. */
export async function loadMigrations(dir: string = MIGRATIONS_DIR): Promise<Record<string, Migration>> {
  const loaded: Record<string, Migration> = {}
  for (const file of readdirSync(dir).sort()) {
    const name = FILE.exec(file)?.[1]
    if (name) loaded[name] = (await import(pathToFileURL(path.join(dir, file)).href)) as Migration
  }
  return loaded
}
