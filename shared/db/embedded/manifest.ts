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
  /** The last migration; undefined before the first. */
  schema_version: string | undefined
  /** Names of the migrations in it. */
  migrations: string[]
  /** The dump that holds all of it: when that was begun, and when the database was written to last. Gone once it is opened again. */
  dumped?: { made_at: string; written_at_ms: number } | undefined
}

/** The installed PGlite; its package.json is not among its exports, the entry stands in dist/ beside it. */
export function pgliteVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const file = path.join(path.dirname(entry), '..', 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** The other PostgreSQL that made the directory, by its own word or the manifest's: nothing but that one, or a dump, can open it. */
export function otherMajor(home: string): string | undefined {
  const found = readText(path.join(home, 'db', 'PG_VERSION'))?.trim()
  if (found === undefined) return undefined
  return [found, readManifest(home)?.postgres_major].find((major) => major && major !== POSTGRES_MAJOR)
}

/** Refuses a directory that a newer version, or another PostgreSQL, has written. Nothing is touched before this. */
export function checkDirectory(home: string, knownMigrations: readonly string[]): void {
  const found = otherMajor(home)
  if (found !== undefined) throw dbErrors.otherMajor({ home, found, expected: POSTGRES_MAJOR })
  const manifest = readManifest(home)
  if (!manifest) return
  if (compareVersions(manifest.pglite, pgliteVersion()) > 0) {
    throw dbErrors.newerVersion({ what: `PGlite ${manifest.pglite}, here is ${pgliteVersion()}` })
  }
  const unknown = manifest.migrations.filter((name) => !knownMigrations.includes(name))
  if (unknown.length > 0) throw dbErrors.newerVersion({ what: `migration ${unknown[0]}` })
}

export function writeManifest(home: string, migrations: readonly string[], dumped?: Manifest['dumped']): void {
  const manifest: Manifest = {
    pglite: pgliteVersion(),
    postgres_major: POSTGRES_MAJOR,
    schema_version: migrations.at(-1),
    migrations: [...migrations],
    dumped,
  }
  writeAtomically(path.join(home, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

export function readManifest(home: string): Manifest | undefined {
  const text = readText(path.join(home, 'manifest.json'))
  if (text === undefined) return undefined
  try {
    const parsed = JSON.parse(text) as Partial<Manifest>
    const migrations = Array.isArray(parsed.migrations) ? parsed.migrations.map(String) : []
    return {
      pglite: String(parsed.pglite ?? '0'),
      postgres_major: String(parsed.postgres_major ?? ''),
      schema_version: migrations.at(-1),
      migrations,
      dumped: parsed.dumped,
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
