import { canonicalJson } from '../events/index.ts'
import type { Kind } from './define-kind.ts'
import type { Row } from './row-sql.ts'

export type Changes = Record<string, { from: unknown; to: unknown }>

/** Fields that differ between two states of a record, `deleted_at` included; a new record differs from all-null. */
export function changesBetween(kind: Kind, before: Row | undefined, after: Row): Changes {
  const changes: Changes = {}
  for (const name of [...Object.keys(kind.fields), 'deleted_at']) {
    const from = before?.[name] ?? null
    const to = after[name] ?? null
    if (!same(from, to)) changes[name] = { from, to }
  }
  return changes
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  return typeof a === 'object' && typeof b === 'object' && canonicalJson(a) === canonicalJson(b)
}
