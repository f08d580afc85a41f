import { type RawBuilder, sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { assertStorable, tenantOf } from '../events/index.ts'
import { badFilter, conditionsOf, type Filter, sortable } from './conditions.ts'
import { openCursor, sealCursor } from './cursor.ts'
import { cursorKey } from './cursor-key.ts'
import type { ColumnType, Kind, KindName, RecordOf } from './define-kind.ts'
import { kindOf } from './registry.ts'
import { columnList, type Row } from './row-sql.ts'

export interface ListOptions {
  filter?: Filter | undefined
  /** Words as in a web search: `"exact words" or -without`. */
  query?: string | undefined
  /** A field, with `-` before it for the largest first. Default: best match first with `query`, else `-created_at`. */
  sort?: string | undefined
  /** 1 to 200; default 50. */
  limit?: number | undefined
  cursor?: string | undefined
  includeDeleted?: boolean | undefined
  /** Columns that the items come without: a list of plans need not carry every definition. */
  omit?: readonly string[] | undefined
}

export interface Page<T> {
  items: T[]
  /** Null on the last page. */
  next_cursor: string | null
}

interface Order {
  /** What rows are compared by, before the id. */
  key: RawBuilder<unknown>
  type: ColumnType
  descending: boolean
  name: string
}

type At = { v: string | number | boolean | null; i: string }

/** One page of the tenant's records of a kind, by key (not by offset): rows that come or go meanwhile move no other row. */
export async function listRecords<K extends KindName>(
  tx: Tx,
  kindName: K,
  options: ListOptions = {},
): Promise<Page<RecordOf<K>>> {
  const kind = kindOf(kindName)
  const { filter = {}, query, sort, limit = 50, cursor, includeDeleted = false, omit } = options
  const tenant = tenantOf(tx)
  const order = orderOf(kind, sort, query)
  const conditions = [sql`t.tenant_id = ${tenant}`, ...conditionsOf(kind, filter)]
  if (!includeDeleted) conditions.push(sql`t.deleted_at is null`)
  if (query !== undefined) conditions.push(sql`t.search @@ ${tsquery(query)}`)
  const context = ['records', tenant, kind.name, filter, query ?? null, order.name, includeDeleted]
  if (cursor !== undefined) conditions.push(beyond(order, openCursor(await cursorKey(tx), context, cursor) as At))
  const direction = sql.raw(order.descending ? 'desc' : 'asc')
  const { rows } = await sql<Row & { sort_key: At['v'] }>`
    select ${columnList(kind, omit)}, ${order.key} as sort_key from ${sql.table(kind.table)} t
    where ${sql.join(conditions, sql` and `)}
    order by ${order.key} ${direction} nulls last, t.id ${direction} limit ${limit + 1}`.execute(tx)
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  const at = last && ({ v: last.sort_key, i: last.id } satisfies At)
  const next_cursor = at ? sealCursor(await cursorKey(tx), context, at) : null
  return { items: items.map(({ sort_key: _, ...row }) => row as unknown as RecordOf<K>), next_cursor }
}

function orderOf(kind: Kind, sort: string | undefined, query: string | undefined): Order {
  if (query !== undefined) checkQuery(kind, query)
  if (sort === undefined && query !== undefined) {
    return { key: sql`ts_rank(t.search, ${tsquery(query)})::float8`, type: 'float8', descending: true, name: 'rank' }
  }
  const given = sort ?? '-created_at'
  const name = given.replace(/^-/, '')
  const type = sortable(kind, name)
  if (!type) throw badFilter(kind, [{ path: 'sort', message: `can not sort a ${kind.name} by ${name}` }])
  return { key: sql.ref(`t.${name}`), type, descending: given.startsWith('-'), name: given }
}

function checkQuery(kind: Kind, query: string): void {
  assertStorable(query, 'query')
  if (kind.search.length > 0) return
  throw badFilter(kind, [
    { path: 'query', message: `a ${kind.name} has no text to search`, hint: 'Use filter instead.' },
  ])
}

/** English stems and plain words: names and identifiers match as they are, prose also by its stems. */
function tsquery(query: string): RawBuilder<unknown> {
  return sql`(websearch_to_tsquery('english', ${query}) || websearch_to_tsquery('simple', ${query}))`
}

/** Rows after the given one in this order; nulls come last either way. */
function beyond({ key, type, descending }: Order, { v, i }: At): RawBuilder<unknown> {
  const operator = sql.raw(descending ? '<' : '>')
  if (v === null) return sql`(${key} is null and t.id ${operator} ${i})`
  const value = sql`${v}::${sql.raw(type)}`
  return sql`((${key}, t.id) ${operator} (${value}, ${i}) or ${key} is null)`
}
