import { CompiledQuery } from 'kysely'
import type { Tx } from '../db/index.ts'
import { recordEvent, storableJson, tenantOf } from '../events/index.ts'
import type { ChangesOf, InsertOf, Kind, KindName, RecordOf } from './define-kind.ts'
import { changesBetween } from './diff.ts'
import { recordErrors } from './errors.ts'
import { deleted, planned, restored, type Update } from './plan-update.ts'
import { kindOf, statusOf, streamOf } from './registry.ts'
import type { Row } from './row-sql.ts'
import { insertText, lockText, updateText } from './write-sql.ts'

export interface WriteOptions {
  /** Why; kept in the event and shown by get_record_history. */
  reason?: string | undefined
  /** Needed only in a system-scoped transaction. */
  tenant_id?: string | undefined
}

export interface UpdateOptions extends WriteOptions {
  /** Refuses with E0012 when the record is at another version. */
  expected_version?: number | undefined
}

/** Creates one record and its event. `id` only where the platform made it before; a taken one is a CONFLICT. */
export async function createRecord<K extends KindName>(
  tx: Tx,
  kind: K,
  data: InsertOf<K>,
  options: WriteOptions & { id?: string } = {},
): Promise<RecordOf<K>> {
  const { id, ...rest } = options
  const [row] = await createRecords(tx, kind, [id === undefined ? data : { ...data, id }], rest)
  if (!row) throw new Error(`no ${kind} was created`)
  return row
}

/** Creates many records of a kind in one statement; the result is in the order of `data`. */
export async function createRecords<K extends KindName>(
  tx: Tx,
  kindName: K,
  data: readonly (InsertOf<K> & { id?: string })[],
  options: WriteOptions = {},
): Promise<RecordOf<K>[]> {
  if (data.length === 0) return []
  const kind = kindOf(kindName)
  const tenant_id = tenantOf(tx, options.tenant_id)
  const created_by =
    tx.scope.kind === 'tenant' ? tx.scope.subject : `system:${tx.scope.kind === 'system' ? tx.scope.name : 'owner'}`
  const fresh = data.map((item) => ({
    ...withFallbacks(kind, item),
    tenant_id,
    id: item.id ?? tx.newId(kind.prefix),
    created_by,
  }))
  for (const row of fresh) assertInitial(kind, row)
  const rows = await insertRows(tx, kind, fresh)
  const byId = new Map(rows.map((row) => [row.id, row]))
  return fresh.map(({ id }) => {
    const row = byId.get(id)
    if (!row) throw new Error(`${kind.name} ${id} was not written`)
    announce(tx, kind, 'created', undefined, row, options.reason)
    return row as RecordOf<K>
  })
}

/**
 * Changes a record as the caller has read it, without reading it again. At another version by now: E0012, or E0004 when it is
 * gone.
 */
export async function updateKnown<K extends KindName>(
  tx: Tx,
  kindName: K,
  before: RecordOf<K>,
  changes: ChangesOf<K>,
  options: WriteOptions = {},
): Promise<RecordOf<K>> {
  const kind = kindOf(kindName)
  const { tenant_id, id, version } = before
  const target = planned(kind, before as Row, { id, changes })
  const text = updateText(kind, new Set(Object.keys(target)), 'known')
  const [row] = await send(tx, text, [storableJson(target, ''), tenant_id, id, version])
  if (row) {
    announce(tx, kind, 'updated', before as Row, row, options.reason)
    return row as RecordOf<K>
  }
  const found = await lockRows(tx, kind, tenant_id, [id])
  planned(kind, found.get(id), { id, changes, expected_version: version })
  throw new Error(`${kind.name} ${id} was not written`)
}

/** Changes one record; its version rises by one with every call. Unknown or deleted: E0004. */
export async function updateRecord<K extends KindName>(
  tx: Tx,
  kind: K,
  id: string,
  changes: ChangesOf<K>,
  options: UpdateOptions = {},
): Promise<RecordOf<K>> {
  const { expected_version, ...rest } = options
  const [row] = await updateRecords(tx, kind, [{ id, changes, expected_version }], rest)
  if (!row) throw new Error(`${kind} ${id} was not written`)
  return row
}

/** Changes many records of a kind: locked in id order by one statement, written by another; result in the order given. */
export async function updateRecords<K extends KindName>(
  tx: Tx,
  kindName: K,
  updates: readonly { id: string; changes: ChangesOf<K>; expected_version?: number | undefined }[],
  options: WriteOptions = {},
): Promise<RecordOf<K>[]> {
  const kind = kindOf(kindName)
  return (await change(tx, kind, 'updated', updates, planned, options)) as RecordOf<K>[]
}

/** Soft delete: the row stays, lists and reads leave it out, restore brings it back. */
export async function deleteRecord<K extends KindName>(
  tx: Tx,
  kind: K,
  id: string,
  options: UpdateOptions = {},
): Promise<RecordOf<K>> {
  return changeOne(tx, kind, 'deleted', id, options)
}

/** Brings a soft-deleted record back. */
export async function restoreRecord<K extends KindName>(
  tx: Tx,
  kind: K,
  id: string,
  options: UpdateOptions = {},
): Promise<RecordOf<K>> {
  return changeOne(tx, kind, 'restored', id, options)
}

async function changeOne<K extends KindName>(
  tx: Tx,
  kindName: K,
  verb: 'deleted' | 'restored',
  id: string,
  options: UpdateOptions,
) {
  const { expected_version, ...rest } = options
  const plan = verb === 'deleted' ? deleted : restored
  const [row] = await change(tx, kindOf(kindName), verb, [{ id, changes: {}, expected_version }], plan, rest)
  return row as RecordOf<K>
}

async function change(
  tx: Tx,
  kind: Kind,
  verb: string,
  updates: readonly Update[],
  plan: (kind: Kind, before: Row | undefined, update: Update) => Record<string, unknown>,
  options: WriteOptions,
): Promise<Row[]> {
  if (updates.length === 0) return []
  const tenant_id = tenantOf(tx, options.tenant_id)
  const ids = updates.map(({ id }) => id)
  const before = await lockRows(tx, kind, tenant_id, ids)
  const targets = updates.map((update) => ({ id: update.id, ...plan(kind, before.get(update.id), update) }))
  const after = await updateRows(tx, kind, tenant_id, before, targets)
  return ids.map((id) => {
    const row = after.get(id)
    if (!row) throw new Error(`${kind.name} ${id} was not written`)
    announce(tx, kind, verb, before.get(id), row, options.reason)
    return row
  })
}

async function lockRows(tx: Tx, kind: Kind, tenant_id: string, ids: readonly string[]): Promise<Map<string, Row>> {
  if (new Set(ids).size < ids.length) throw new Error('a record appears twice in one batch of updates')
  const many = ids.length > 1
  const rows = await send(tx, lockText(kind, many), [tenant_id, many ? ids : ids[0]])
  return new Map(rows.map((row) => [row.id, row]))
}

async function updateRows(
  tx: Tx,
  kind: Kind,
  tenant_id: string,
  before: ReadonlyMap<string, Row>,
  targets: readonly ({ id: string } & Record<string, unknown>)[],
): Promise<Map<string, Row>> {
  const names = new Set(targets.flatMap((target) => Object.keys(target)))
  names.delete('id')
  const [first, ...others] = targets
  const many = others.length > 0
  // Rows that keep a column which another row of the batch changes carry their present value.
  const full = many ? targets.map((target) => ({ ...pick(before.get(target.id), names), ...target })) : first
  const ids = targets.map(({ id }) => id)
  const rows = await send(tx, updateText(kind, names, many ? 'many' : 'one'), [
    storableJson(full, ''),
    tenant_id,
    many ? ids : ids[0],
  ])
  return new Map(rows.map((row) => [row.id, row]))
}

async function send(tx: Tx, text: string, parameters: unknown[]): Promise<Row[]> {
  const { rows } = await tx.executeQuery(CompiledQuery.raw(text, parameters))
  return rows as Row[]
}

async function insertRows(tx: Tx, kind: Kind, fresh: readonly Record<string, unknown>[]): Promise<Row[]> {
  const rows = await send(tx, insertText(kind), [storableJson(fresh, '')])
  if (rows.length < fresh.length) {
    const fields = (kind.unique ?? []).map((group) => group.join(' + ')).join(', or ')
    const error = recordErrors.taken({ kind: kind.name, fields: fields || 'id' })
    // Nothing was written for one record alone, so a caller may go on; rows of a batch must not commit without events.
    if (fresh.length > 1) tx.beforeCommit(() => Promise.reject(error))
    throw error
  }
  return rows
}

function withFallbacks(kind: Kind, data: object): Record<string, unknown> {
  const given = data as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(kind.fields).map(([name, field]) => [name, given[name] ?? field.fallback ?? null]),
  )
}

function assertInitial(kind: Kind, row: Record<string, unknown>): void {
  const machine = statusOf(kind)?.machine
  const status = String(row['status'])
  if (!machine || machine.initial.includes(status)) return
  throw illegalStart(kind, status, machine.initial)
}

function illegalStart(kind: Kind, to: string, allowed: readonly string[]) {
  return recordErrors.badFields(
    { kind: kind.name, summary: `a new one can not be ${to}`, fields: 'status' },
    { details: { faults: [{ path: 'data.status', message: `must be ${allowed.join(' or ')} at first` }] } },
  )
}

function pick(row: Row | undefined, names: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => names.has(name)))
}

/** I1: the event goes with the row, carries the whole of it, and has the row's own time, so time travel finds it by that. */
function announce(
  tx: Tx,
  kind: Kind,
  verb: string,
  before: Row | undefined,
  after: Row,
  reason: string | undefined,
): void {
  recordEvent(tx, {
    tenant_id: after.tenant_id,
    stream: streamOf(kind.name, after.id),
    type: `${kind.name}.${verb}`,
    time: after.updated_at,
    expected_version: after.version - 1,
    data: { record: after, changes: changesBetween(kind, before, after), ...(reason === undefined ? {} : { reason }) },
  })
}
