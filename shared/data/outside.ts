import type { Tx } from '../db/index.ts'
import { errors, type Fault, issueWords, safeText } from '../errors/index.ts'
import { assertStorable } from '../events/index.ts'
import type { ChangesOf, Field, InsertOf, Kind, KindName } from './define-kind.ts'
import { recordErrors } from './errors.ts'
import { findRecord } from './read.ts'
import { kindOf } from './registry.ts'

/** Data of a new record from outside, checked; E0402 with all faults, E0403/E0404 for what only the platform may set. */
export function parseNew<K extends KindName>(kindName: K, data: Readonly<Record<string, unknown>>): InsertOf<K> {
  const kind = kindOf(kindName)
  refuseManagedKind(kind, 'created')
  const missing = Object.entries(kind.fields)
    .filter(([name, field]) => field.needed && data[name] === undefined)
    .map(([name]) => ({ path: `data.${name}`, message: 'is needed' }))
  return parseFields(kind, data, 'data', missing) as InsertOf<K>
}

/** Changes of a record from outside, checked like `parseNew`. An empty change is a fault: nothing would happen. */
export function parseChanges<K extends KindName>(
  kindName: K,
  changes: Readonly<Record<string, unknown>>,
): ChangesOf<K> {
  const none = Object.keys(changes).length === 0 ? [{ path: 'changes', message: 'is empty' }] : []
  return parseFields(kindOf(kindName), changes, 'changes', none) as ChangesOf<K>
}

/** E0404 when records of this kind come and go by the platform's own tools only. */
export function refuseManagedKind(kind: Kind, verb: string): void {
  if (!kind.managed) return
  const faults = [{ path: 'kind', message: `a ${kind.name} can not be ${verb} as a bare record` }]
  throw recordErrors.managedKind({ kind: kind.name, verb, managed_by: kind.managedBy ?? '' }, { details: { faults } })
}

/** E0004 with the path when an id in `data` names a record that is not there; the foreign keys say it without the path. */
export async function assertReferences(tx: Tx, kindName: KindName, data: object, root: string): Promise<void> {
  for (const [name, field] of Object.entries(kindOf(kindName).fields)) {
    const id = (data as Record<string, unknown>)[name]
    if (field.references === undefined || typeof id !== 'string') continue
    const target = field.references as KindName
    if (await findRecord(tx, target, id)) continue
    const path = `${root}.${name}`
    throw errors.notFound(
      { kind: target, id },
      { details: { faults: [{ path, message: `there is no ${target} ${id}` }] } },
    )
  }
}

function parseFields(kind: Kind, given: Readonly<Record<string, unknown>>, root: string, faults: Fault[]) {
  assertStorable(given, root)
  const parsed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(kind.fields, name) ? kind.fields[name] : undefined
    const fault = field ? faultOf(field, value) : { path: '', message: 'is not a field that can be set' }
    if (fault) faults.push({ ...fault, path: `${root}.${name}${fault.path}` })
    else if (field?.managed) throw managedField(kind, name, root)
    else parsed[name] = value
  }
  if (faults.length === 0) return parsed
  const summary = faults.map((fault) => `${fault.path} ${fault.message}`).join('; ')
  const fields = Object.keys(kind.fields).join(', ')
  throw recordErrors.badFields({ kind: kind.name, summary, fields }, { details: { faults } })
}

/** The first thing wrong with a value; the path begins below the field. */
function faultOf(field: Field, value: unknown): Fault | undefined {
  if (value === null) return field.nullable ? undefined : { path: '', message: 'must not be null' }
  const parsed = field.schema.safeParse(value)
  if (parsed.success) return undefined
  const [issue] = parsed.error.issues
  if (!issue) return { path: '', message: 'is not valid' }
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${safeText(part, 60)}`)).join('')
  return { path, message: issueWords(issue, value) }
}

function managedField(kind: Kind, field: string, root: string) {
  const faults = [{ path: `${root}.${field}`, message: 'is changed by the platform only' }]
  return recordErrors.managedField(
    { field, kind: kind.name, managed_by: kind.managedBy ?? 'Leave it out.' },
    { details: { faults } },
  )
}
