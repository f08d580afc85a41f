import { type RawBuilder, sql } from 'kysely'
import type { ColumnType, Kind } from './define-kind.ts'
import { columnsOf } from './registry.ts'

/** A row as it travels inside this folder, where the kind is known at run time only. */
export type Row = Record<string, unknown> & {
  tenant_id: string
  id: string
  version: number
  created_at: string
  updated_at: string
  deleted_at: string | null
}

/** The kind's columns for `select` and `returning`, never `*`: the generated search column stays out. */
export function columnList(kind: Kind, omit: readonly string[] = []): RawBuilder<unknown> {
  const names = [...columnsOf(kind).keys()].filter((name) => !omit.includes(name))
  return sql.join(names.map((name) => sql.ref(name)))
}

/** `v(title text, ...)`: column definitions for json_to_recordset, so that one parameter carries any number of rows. */
export function recordset(columns: Iterable<readonly [string, ColumnType]>): RawBuilder<unknown> {
  // Times arrive as text, because they may be relative to the database's clock (inMs).
  const list = [...columns].map(
    ([name, type]) => sql`${sql.ref(name)} ${sql.raw(type === 'timestamptz' ? 'text' : type)}`,
  )
  return sql`v(${sql.join(list)})`
}

/** How a column of `v` becomes the table's value. */
export function columnValue(name: string, type: ColumnType): RawBuilder<unknown> {
  return type === 'timestamptz' ? sql`core.as_time(${sql.ref(`v.${name}`)})` : sql`${sql.ref(`v.${name}`)}`
}
