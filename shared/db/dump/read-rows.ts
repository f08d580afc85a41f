import { type Kysely, sql } from 'kysely'
import { quoted, type Table } from './catalogue.ts'
import type { Row } from './format.ts'

/** Rows fetched at a time; a single value has 4 MB at most, so a page stays far below what a process may hold. */
const PAGE = 200

/** Every row of a table as text values, page by page through a cursor, inside the caller's transaction. */
export async function* rowsOf(db: Kysely<unknown>, { name, columns }: Table): AsyncGenerator<Row[]> {
  const list = columns.map((column, i) => `${quoted(column.name)}::text as c${i}`).join(', ')
  await sql.raw(`declare dump_rows no scroll cursor for select ${list} from ${quoted(name)}`).execute(db)
  for (;;) {
    const { rows } = await sql.raw<Record<string, string | null>>(`fetch ${PAGE} from dump_rows`).execute(db)
    if (rows.length > 0) yield rows.map((row) => columns.map((_, i) => row[`c${i}`] ?? null))
    if (rows.length < PAGE) break
  }
  await sql.raw('close dump_rows').execute(db)
}
