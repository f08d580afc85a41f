import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { dbErrors } from '../errors.ts'
import { isMissing, writeAtomically } from './files.ts'

/** The PostgreSQL inside the pinned PGlite. */
export const POSTGRES_MAJOR = '18'

/** `<home>/manifest.json`: what the data directory was last used with. */
export interface Manifest {
  pglite: string
  postgres_major: string
  /** Names of the migrations in it. */
  migrations: string[]
}

/** The installed PGlite; its package.json is not among its exports, the entry stands in dist/ beside it. */
export function pgliteVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const file = path.join(path.dirname(entry), '..', 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Whether another PostgreSQL than ours has made the directory: nothing but that one, or a dump, can open it. */
export function isOtherMajor(home: string): boolean {
  const found = readText(path.join(home, 'db', 'PG_VERSION'))?.trim()
  return found !== undefined && found !== POSTGRES_MAJOR
}

/** Refuses a directory that a newer version, or another PostgreSQL, has written. Nothing is touched before this. */
export function checkDirectory(home: string, knownMigrations: readonly string[]): void {
  const found = readText(path.join(home, 'db', 'PG_VERSION'))?.trim()
  if (found !== undefined && found !== POSTGRES_MAJOR) {
    throw dbErrors.otherMajor({ home, found, expected: POSTGRES_MAJOR })
  }
  const manifest = readManifest(home)
  if (!manifest) return
  if (compareVersions(manifest.pglite, pgliteVersion()) > 0) {
    throw dbErrors.newerVersion({ what: `PGlite ${manifest.pglite}, here is ${pgliteVersion()}` })
  }
  const unknown = manifest.migrations.filter((name) => !knownMigrations.includes(name))
  if (unknown.length > 0) throw dbErrors.newerVersion({ what: `migration ${unknown[0]}` })
}

export function writeManifest(home: string, migrations: readonly string[]): void {
  const manifest: Manifest = { pglite: pgliteVersion(), postgres_major: POSTGRES_MAJOR, migrations: [...migrations] }
  writeAtomically(path.join(home, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

export function readManifest(home: string): Manifest | undefined {
  const text = readText(path.join(home, 'manifest.json'))
  if (text === undefined) return undefined
  try {
    const parsed = JSON.parse(text) as Partial<Manifest>
    return {
      pglite: String(parsed.pglite ?? '0'),
      postgres_major: String(parsed.postgres_major ?? ''),
      migrations: Array.isArray(parsed.migrations) ? parsed.migrations.map(String) : [],
    }
  } catch {
    // Unreadable: the database itself says which migrations it has, and the file is written again.
    return undefined
  }
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
