import type { ColumnType, Kind } from './define-kind.ts'
import { columnsOf } from './registry.ts'

/**
 * Texts of the statements that write records, made once for each kind and set of columns: composing and compiling one anew costs
 * as much as PostgreSQL takes to answer it. One record is found by equality, so that its index is used whatever the planner
 * knows about the table; of a list it would guess 100 rows and may read the whole table for them.
 */

/** $1: JSON list of rows with every column. Answers the rows that did not collide. */
export function insertText(kind: Kind): string {
  return text(kind, 'insert', () => {
    const own = [...columnsOf(kind)].filter(([name]) => name in kind.fields)
    const given = [['tenant_id', 'text'], ['id', 'text'], ['created_by', 'text'], ...own] as [string, ColumnType][]
    const names = given.map(([name]) => `"${name}"`)
    return `insert into ${kind.table} (${names.join(', ')}, version, created_at, updated_at)
      select ${given.map(assigned).join(', ')}, 1, core.now(), core.now()
      from json_to_recordset($1::json) as ${shapeOf(given)}
      on conflict do nothing returning ${columns(kind)}`
  })
}

/** $1: tenant, $2: id, or ids. NO KEY UPDATE: writers wait for each other, rows that only refer to these can be inserted meanwhile. */
export function lockText(kind: Kind, many: boolean): string {
  return text(kind, many ? 'lock many' : 'lock', () => {
    const which = many ? 'id = any($2::text[]) order by id' : 'id = $2'
    return `select ${columns(kind)} from ${kind.table} where tenant_id = $1 and ${which} for no key update`
  })
}

/** `known`: one, at the version that its writer has seen. */
type Which = 'one' | 'known' | 'many'

/** $1: JSON of the changes (of many: a list, each with its id), $2: tenant, $3: id, or ids, $4: the known version. */
export function updateText(kind: Kind, names: ReadonlySet<string>, which: Which): string {
  const many = which === 'many'
  const changed = [...columnsOf(kind)].filter(([name]) => names.has(name))
  const key = `update ${which} ${changed.map(([name]) => name).join(' ')}`
  return text(kind, key, () => {
    const assignments = changed.map((column) => `, "${column[0]}" = ${assigned(column)}`)
    // A record without columns has no form in SQL; the one change without any is a new version.
    const shape = shapeOf(many ? [['id', 'text'], ...changed] : changed.length > 0 ? changed : [['id', 'text']])
    const source = many ? 'json_to_recordset' : 'json_to_record'
    return `update ${kind.table} t set version = t.version + 1, updated_at = greatest(core.now(), t.updated_at)${assignments.join('')}
      from ${source}($1::json) as ${shape}
      where t.tenant_id = $2 and t.id = ${many ? 'any($3::text[]) and t.id = v.id' : '$3'}${which === 'known' ? ' and t.version = $4' : ''}
      returning ${columns(kind, 't.')}`
  })
}

const MOST_TEXTS = 2_000
const texts = new Map<Kind, Map<string, string>>()

function text(kind: Kind, key: string, compose: () => string): string {
  const known = texts.get(kind) ?? new Map<string, string>()
  texts.set(kind, known)
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size >= MOST_TEXTS) known.clear()
  const composed = compose()
  known.set(key, composed)
  return composed
}

function columns(kind: Kind, prefix = ''): string {
  return [...columnsOf(kind).keys()].map((name) => `${prefix}"${name}"`).join(', ')
}

/** `v("title" text, ...)`. Times arrive as text, because they may be relative to the database's clock (inMs). */
function shapeOf(shape: readonly (readonly [string, ColumnType])[]): string {
  return `v(${shape.map(([name, type]) => `"${name}" ${type === 'timestamptz' ? 'text' : type}`).join(', ')})`
}

function assigned([name, type]: readonly [string, ColumnType]): string {
  return type === 'timestamptz' ? `core.as_time(v."${name}")` : `v."${name}"`
}
