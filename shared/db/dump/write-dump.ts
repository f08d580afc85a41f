import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Kysely, sql } from 'kysely'
import { appliedMigrations } from '../applied-migrations.ts'
import { dialect } from '../driver.ts'
import { syncDirectory } from '../embedded/files.ts'
import { dbErrors } from '../errors.ts'
import { internalsOf } from '../internals.ts'
import { translateDriverError } from '../translate.ts'
import type { Db } from '../types.ts'
import { sequencesOf, tablesOf } from './catalogue.ts'
import { FORMAT, type Line, Summing } from './format.ts'
import { rowsOf } from './read-rows.ts'

export interface Dumped {
  file: string
  made_at: string
  tables: number
  rows: number
}

/**
 * Writes everything in the database to a file, as one moment sees it. The file gets its name only when it is whole and on the
 * disk; what fails leaves nothing behind and throws E0125. Holds the embedded database's one connection while it runs. `made_at`:
 * a moment before which everything is in it, default now.
 */
export async function writeDump(db: Db, file: string, made_at: string = new Date().toISOString()): Promise<Dumped> {
  const { source, close } = await internalsOf(db).migrationSource()
  const kysely = new Kysely<unknown>({ dialect: dialect(source) })
  const draft = `${file}.part`
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const counts = await kysely
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute((tx) => writeAll(tx, draft, made_at))
    renameSync(draft, file)
    syncDirectory(path.dirname(file))
    return { file, ...counts }
  } catch (error) {
    removeDraft(draft)
    const reason = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'the disk is full' : 'see the log'
    throw dbErrors.dumpFailed({ file, reason }, { cause: translateDriverError(error) })
  } finally {
    await close(kysely)
  }
}

function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true })
  } catch {
    // Where no file could be made, none can be removed; the first error is the one that matters.
  }
}

async function writeAll(db: Kysely<unknown>, draft: string, made_at: string): Promise<Omit<Dumped, 'file'>> {
  const out = new LineFile(draft)
  try {
    const { rows: server } = await sql<{ v: string }>`select current_setting('server_version') as v`.execute(db)
    const migrations = await appliedMigrations(db)
    await out.write({ dump: FORMAT, made_at, postgres: server[0]?.v ?? '', migrations })
    const tables = await tablesOf(db)
    let rows = 0
    for (const table of tables) {
      await out.write({ table })
      const summing = new Summing()
      for await (const page of rowsOf(db, table)) for (const row of page) summing.add(await out.write(row))
      await out.write({ end: table.name, sum: summing.sum })
      rows += summing.rows
    }
    await out.write({ sequences: await sequencesOf(db) })
    await out.finish(tables.length, rows)
    return { made_at, tables: tables.length, rows }
  } catch (error) {
    out.abandon()
    throw error
  }
}

/** Lines into a compressed file, no faster than the disk takes them. */
class LineFile {
  readonly #gzip = createGzip()
  readonly #hash = createHash('sha256')
  readonly #done: Promise<void>
  #failure: unknown

  constructor(file: string) {
    const disk = createWriteStream(file, { mode: 0o600, flush: true })
    this.#gzip.pipe(disk)
    this.#done = finished(disk)
    this.#done.catch((error: unknown) => {
      this.#failure = error
      // A full disk takes nothing more: whoever waits for room must hear of it.
      this.#gzip.destroy(error as Error)
    })
    this.#gzip.on('error', () => {})
  }

  async write(line: Line): Promise<string> {
    const text = JSON.stringify(line)
    await this.#put(`${text}\n`)
    return text
  }

  async finish(tables: number, rows: number): Promise<void> {
    const sha256 = this.#hash.copy().digest('hex')
    await this.#put(`${JSON.stringify({ finish: { tables, rows, sha256 } })}\n`)
    this.#gzip.end()
    await this.#done
  }

  abandon(): void {
    this.#gzip.destroy()
  }

  async #put(text: string): Promise<void> {
    if (this.#failure) throw this.#failure
    this.#hash.update(text)
    if (this.#gzip.write(text)) return
    await Promise.race([once(this.#gzip, 'drain'), this.#done])
    if (this.#failure) throw this.#failure
  }
}
