import { readdirSync } from 'node:fs'
import { BASE_COLUMNS, type ColumnType, type Field, type Kind, type KindName } from './define-kind.ts'
import { recordErrors } from './errors.ts'
import { registerUpcasters } from './upcasters.ts'

// A folder is a registry: a new kind is one file in kinds/ and one migration, with no list to keep beside them.
const folder = new URL('./kinds/', import.meta.url)
const loaded = await Promise.all(
  readdirSync(folder)
    .filter((file) => /^[a-z-]+\.[tj]s$/.test(file))
    .sort()
    .map(async (file) => ((await import(new URL(file, folder).href)) as { default: Kind }).default),
)

for (const kind of loaded) registerUpcasters(kind)

/** Every kind by name. */
export const kinds: ReadonlyMap<string, Kind> = new Map(loaded.map((kind) => [kind.name, kind]))

/** Names of all kinds, sorted. */
export const kindNames = [...kinds.keys()].sort() as KindName[]

/** The kind of that name, or E0401 with the known names. */
export function kindOf(name: string): Kind {
  const kind = kinds.get(name)
  if (kind) return kind
  const known = kindNames.join(', ')
  throw recordErrors.unknownKind(
    { kind: name, known },
    { details: { faults: [{ path: 'kind', message: 'is not a kind of record', hint: `One of ${known}.` }] } },
  )
}

const columnCache = new Map<Kind, ReadonlyMap<string, ColumnType>>()

/** Columns of a kind in table order: those every record has, then its own. */
export function columnsOf(kind: Kind): ReadonlyMap<string, ColumnType> {
  const found = columnCache.get(kind)
  if (found) return found
  const own = Object.entries(kind.fields).map(([name, field]) => [name, field.column] as const)
  const columns = new Map<string, ColumnType>([...Object.entries(BASE_COLUMNS), ...own])
  columnCache.set(kind, columns)
  return columns
}

/** The field that holds the state, for kinds that have states. */
export function statusOf(kind: Kind): (Field & { machine: NonNullable<Field['machine']> }) | undefined {
  const field = kind.fields['status']
  return field?.machine ? { ...field, machine: field.machine } : undefined
}

/** Stream of a record. */
export function streamOf(kind: string, id: string): string {
  return `${kind}/${id}`
}
