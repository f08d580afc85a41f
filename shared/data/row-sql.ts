import { type RawBuilder, sql } from 'kysely'
import type { Kind } from './define-kind.ts'
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
