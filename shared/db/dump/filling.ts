import { CompiledQuery, type Kysely } from 'kysely'
import { quoted, type Table } from './catalogue.ts'
import type { Row } from './format.ts'

const MOST_ROWS = 500
const MOST_BYTES = 4 * 1024 * 1024

/** Rows on their way into one table, some hundred per statement. */
export class Filling {
  readonly #tx: Kysely<unknown>
  readonly #text: string
  readonly #width: number
  #rows: Row[] = []
  #bytes = 0

  constructor(tx: Kysely<unknown>, { name, columns }: Table) {
    this.#tx = tx
    this.#width = columns.length
    const casts = columns.map((column, i) => `v.c${i}::${column.type}`)
    const arrays = columns.map((_, i) => `$${i + 1}::text[]`)
    const names = columns.map((column) => quoted(column.name))
    this.#text = `insert into ${quoted(name)} (${names.join(', ')}) overriding system value
      select ${casts.join(', ')} from unnest(${arrays.join(', ')}) as v(${columns.map((_, i) => `c${i}`).join(', ')})`
  }

  /** True when this row was one too many to keep, and all kept ones were written. */
  async add(row: Row): Promise<boolean> {
    this.#rows.push(row)
    this.#bytes += row.reduce((sum, value) => sum + (value?.length ?? 0), 0)
    if (this.#rows.length < MOST_ROWS && this.#bytes < MOST_BYTES) return false
    await this.flush()
    return true
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    const columns = Array.from({ length: this.#width }, (_, i) => rows.map((row) => row[i] ?? null))
    await this.#tx.executeQuery(CompiledQuery.raw(this.#text, columns))
  }
}
