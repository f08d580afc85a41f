import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { listEvents, readStream } from '../events/index.ts'
import { checkProperty, fileDatabase, testTenant } from '../testing/index.ts'
import {
  assertReferences,
  type Changes,
  canonicalJson,
  createRecord,
  createRecords,
  deleteRecord,
  findRecord,
  getRecord,
  getRecordAsOf,
  inMs,
  parseChanges,
  parseNew,
  rebuildRecord,
  recordHistory,
  restoreRecord,
  updateRecord,
  updateRecords,
} from './index.ts'

const json = fc
  .jsonValue({ stringUnit: 'binary' })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '')) as unknown)
const change = fc.record(
  {
    title: fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\0')),
    constraints: json,
    result: json,
    labels: fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), json),
  },
  { requiredKeys: [] },
)

test('a record rebuilt from its events equals its row, whatever was written', async () => {
  const db = await fileDatabase()
  await checkProperty(
    'rebuild equals row',
    fc.array(fc.oneof({ weight: 5, arbitrary: change }, fc.constantFrom('delete' as const)), {
      minLength: 1,
      maxLength: 6,
    }),
    async (steps) => {
      const scope = testTenant()
      const { id } = await db.tx(scope, (tx) => createRecord(tx, 'goal', { title: 'x' }))
      for (const step of steps) {
        if (step === 'delete') {
          await db.tx(scope, (tx) => deleteRecord(tx, 'goal', id))
          await db.tx(scope, (tx) => restoreRecord(tx, 'goal', id))
        } else await db.tx(scope, (tx) => updateRecord(tx, 'goal', id, step as { title?: string }))
      }
      const { row, rebuilt, stream } = await db.tx(scope, async (tx) => ({
        row: await getRecord(tx, 'goal', id),
        rebuilt: await rebuildRecord(tx, 'goal', id),
        stream: await readStream(tx, `goal/${id}`),
      }))
      expect(canonicalJson(rebuilt)).toBe(canonicalJson(row))
      expect(stream.map((event) => event.version)).toEqual(Array.from({ length: row.version }, (_, i) => i + 1))
      // The diffs alone, one after the other, lead to the same fields.
      const folded: Record<string, unknown> = {}
      for (const event of stream) {
        for (const [name, { to }] of Object.entries((event.data as { changes: Changes }).changes)) folded[name] = to
      }
      for (const [name, value] of Object.entries(folded)) expect(row[name as keyof typeof row] ?? null).toEqual(value)
    },
    { runs: 40 },
  )
})

test('every column type keeps its value', async () => {
  const db = await fileDatabase()
  const scope = testTenant('user:ada')
  const at = '2026-11-23T04:31:31.123Z'
  const row = await db.tx(scope, async (tx) => {
    const session = await createRecord(tx, 'session', { project: 'p', last_heartbeat_at: at, client: { a: [1, null] } })
    const evaluation = await createRecord(tx, 'evaluation', { target_kind: 'k', target_id: 'i', score: 0.1 + 0.2 })
    return { session, evaluation }
  })
  expect(row.session).toMatchObject({
    last_heartbeat_at: at,
    client: { a: [1, null] },
    agent_id: null,
    status: 'active',
  })
  expect(row.session).toMatchObject({
    version: 1,
    created_by: 'user:ada',
    deleted_at: null,
    tenant_id: scope.tenant_id,
  })
  expect(row.session.id).toMatch(/^ses_[0-9a-z]{26}$/)
  expect(row.evaluation.score).toBe(0.1 + 0.2)
  expect(await db.tx(scope, (tx) => rebuildRecord(tx, 'evaluation', row.evaluation.id))).toEqual(row.evaluation)
})

test('the state at each time and position is the one that was there then', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const first = await db.tx(scope, (tx) => createRecord(tx, 'goal', { title: 'one' }))
  db.advance(1000)
  const second = await db.tx(scope, (tx) => updateRecord(tx, 'goal', first.id, { title: 'two' }, { reason: 'better' }))
  db.advance(1000)
  await db.tx(scope, (tx) => deleteRecord(tx, 'goal', first.id))
  const events = await db.tx(scope, (tx) => readStream(tx, `goal/${first.id}`))
  const asOf = (when: string) => db.tx(scope, (tx) => getRecordAsOf(tx, 'goal', first.id, when))
  expect(await asOf(first.updated_at)).toEqual(first)
  expect(await asOf(second.updated_at)).toEqual(second)
  expect(await asOf(events[0]?.position ?? '')).toEqual(first)
  expect(await asOf(events[1]?.position ?? '')).toEqual(second)
  await expect(asOf(events[2]?.position ?? '')).rejects.toMatchObject({ number: 'E0408', code: 'NOT_FOUND' })
  await expect(asOf('2020-01-01T00:00:00Z')).rejects.toMatchObject({ number: 'E0408' })
  await expect(asOf('yesterday')).rejects.toMatchObject({ number: 'E0407', details: { faults: [{ path: 'as_of' }] } })
  await expect(asOf('9'.repeat(20))).rejects.toMatchObject({ number: 'E0308' })
  const never = db.tx(scope, (tx) => getRecordAsOf(tx, 'goal', 'gol_never', first.updated_at))
  await expect(never).rejects.toMatchObject({ number: 'E0004' })
  const history = await db.tx(scope, (tx) => recordHistory(tx, 'goal', first.id))
  expect(history.map(({ type, by, reason }) => [type, by, reason])).toEqual([
    ['goal.created', 'user:test', null],
    ['goal.updated', 'user:test', 'better'],
    ['goal.deleted', 'user:test', null],
  ])
  expect(history[1]?.changes).toEqual({ title: { from: 'one', to: 'two' } })
  expect(history[2]?.changes).toEqual({ deleted_at: { from: null, to: expect.any(String) } })
})

test('many records in one batch: one event each, rows in the order given, untouched columns untouched', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const titles = ['c', 'a', 'b']
  const created = await db.tx(scope, (tx) =>
    createRecords(
      tx,
      'goal',
      titles.map((title) => ({ title })),
    ),
  )
  expect(created.map((goal) => goal.title)).toEqual(titles)
  const [c, a, b] = created
  if (!c || !a || !b) throw new Error('three goals were created')
  const changed = await db.tx(scope, (tx) =>
    updateRecords(tx, 'goal', [
      { id: c.id, changes: { status: 'active' } },
      { id: a.id, changes: { labels: { x: 1 } } },
      { id: b.id, changes: { title: 'B', description: undefined as unknown as null } },
    ]),
  )
  expect(changed.map(({ title, status, labels, version }) => [title, status, labels, version])).toEqual([
    ['c', 'active', null, 2],
    ['a', 'pending', { x: 1 }, 2],
    ['B', 'pending', null, 2],
  ])
  expect(await db.tx(scope, (tx) => listEvents(tx, { type: 'goal.*' }))).toHaveLength(6)
  expect(await db.tx(scope, (tx) => createRecords(tx, 'goal', []))).toEqual([])
  expect(await db.tx(scope, (tx) => updateRecords(tx, 'goal', []))).toEqual([])
  const twice = db.tx(scope, (tx) =>
    updateRecords(
      tx,
      'goal',
      [a, a].map(({ id }) => ({ id, changes: {} })),
    ),
  )
  await expect(twice).rejects.toThrow('twice')
})

test('two changes of one record in one transaction are two versions and two events', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const goal = await db.tx(scope, async (tx) => {
    const { id } = await createRecord(tx, 'goal', { title: 'x' })
    await updateRecord(tx, 'goal', id, { status: 'active' })
    return updateRecord(tx, 'goal', id, { status: 'completed' }, { expected_version: 2 })
  })
  expect(goal.version).toBe(3)
  expect(await db.tx(scope, (tx) => readStream(tx, `goal/${goal.id}`))).toHaveLength(3)
})

test('times are counted by the database, also relative ones', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const { now, row } = await db.tx(scope, async (tx) => ({
    now: (await sql<{ now: string }>`select core.now()::timestamptz(3) as now`.execute(tx)).rows[0]?.now ?? '',
    row: await createRecord(tx, 'session', { last_heartbeat_at: inMs(30_000), ended_at: inMs(-1500) }),
  }))
  expect(Date.parse(row.last_heartbeat_at ?? '') - Date.parse(now)).toBe(30_000)
  expect(Date.parse(row.ended_at ?? '') - Date.parse(now)).toBe(-1500)
})

test('64 parallel writers of one record lose nothing', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const { id } = await db.tx(scope, (tx) => createRecord(tx, 'goal', { title: 'counter', labels: { n: 0 } }))
  const increment = () =>
    db.tx(scope, async (tx) => {
      const goal = await getRecord(tx, 'goal', id, { forUpdate: true })
      return updateRecord(tx, 'goal', id, { labels: { n: Number((goal.labels as { n?: number })?.n) + 1 } })
    })
  const written = await Promise.all(Array.from({ length: 64 }, increment))
  expect(written.map((goal) => goal.version).sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i + 2))
  expect(await db.tx(scope, (tx) => getRecord(tx, 'goal', id))).toMatchObject({ version: 65, labels: { n: 64 } })
})

test('what may not happen is refused by code and path, and changes nothing', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const goal = await db.tx(scope, (tx) => createRecord(tx, 'goal', { title: 'x' }))
  const update = (changes: object, options = {}) =>
    db.tx(scope, (tx) => updateRecord(tx, 'goal', goal.id, changes, options))
  await expect(update({ status: 'completed' })).rejects.toMatchObject({
    number: 'E0013',
    hint: 'Allowed from here: active.',
    details: { faults: [{ path: 'changes.status' }] },
  })
  await expect(update({ title: 'y' }, { expected_version: 7 })).rejects.toMatchObject({
    number: 'E0012',
    details: { actual: 1, expected: 7, faults: [{ path: 'expected_version' }] },
  })
  await expect(update({ title: 'a\0' })).rejects.toMatchObject({ number: 'E0302' })
  await expect(update({ nope: 1 })).rejects.toThrow('has no field nope')
  await expect(db.tx(scope, (tx) => updateRecord(tx, 'goal', 'gol_x', {}))).rejects.toMatchObject({ number: 'E0004' })
  await expect(db.tx(testTenant(), (tx) => getRecord(tx, 'goal', goal.id))).rejects.toMatchObject({ number: 'E0004' })
  await expect(db.tx(scope, (tx) => restoreRecord(tx, 'goal', goal.id))).rejects.toMatchObject({ number: 'E0406' })
  await expect(db.tx(scope, (tx) => createRecord(tx, 'goal', { title: 'x' }, { id: goal.id }))).rejects.toMatchObject({
    number: 'E0411',
  })
  const started = db.tx(scope, (tx) => createRecord(tx, 'goal', { title: 'x', status: 'completed' }))
  await expect(started).rejects.toMatchObject({ number: 'E0402', details: { faults: [{ path: 'data.status' }] } })
  expect(await db.tx(scope, (tx) => findRecord(tx, 'goal', goal.id))).toEqual(goal)
  await db.tx(scope, (tx) => deleteRecord(tx, 'goal', goal.id))
  await expect(update({ title: 'y' })).rejects.toMatchObject({
    number: 'E0004',
    hint: expect.stringContaining('restore'),
  })
  expect(await db.tx(scope, (tx) => findRecord(tx, 'goal', goal.id))).toBeUndefined()
})

test('who catches a batch that collided can not commit the rest of it', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const task = (id: string) => ({ id, title: id })
  const stubborn = db.tx(scope, async (tx) => {
    await createRecord(tx, 'goal', { title: 'x' }, { id: 'gol_1' })
    await createRecords(tx, 'goal', [task('gol_2'), task('gol_1')]).catch(() => 'ignored')
  })
  await expect(stubborn).rejects.toMatchObject({ number: 'E0411' })
  expect(await db.tx(scope, (tx) => findRecord(tx, 'goal', 'gol_2'))).toBeUndefined()
})

test('data from outside is checked field by field', async () => {
  const faults = (doing: () => unknown) => {
    try {
      doing()
    } catch (error) {
      return error as { number: string; details: { faults: { path: string }[] } }
    }
    throw new Error('nothing was refused')
  }
  const many = faults(() => parseNew('goal', { titel: 'x', status: 'done', description: 5, labels: null }))
  expect(many.number).toBe('E0402')
  expect(many.details.faults.map((fault) => fault.path)).toEqual([
    'data.title',
    'data.titel',
    'data.status',
    'data.description',
  ])
  expect(faults(() => parseChanges('goal', {})).details.faults).toEqual([{ path: 'changes', message: 'is empty' }])
  expect(faults(() => parseChanges('goal', { title: null })).details.faults[0]?.path).toBe('changes.title')
  expect(faults(() => parseChanges('goal', { __proto__x: 1, constructor: 1 })).details.faults).toHaveLength(2)
  expect(faults(() => parseChanges('plan', { status: 'executing' }))).toMatchObject({ number: 'E0403' })
  expect(faults(() => parseNew('task', {}))).toMatchObject({ number: 'E0404' })
  expect(faults(() => parseNew('nothing' as 'goal', {}))).toMatchObject({ number: 'E0401' })
  expect(parseNew('goal', { title: 'x', labels: null })).toEqual({ title: 'x', labels: null })
  const db = await fileDatabase()
  const missing = db.tx(testTenant(), (tx) => assertReferences(tx, 'session', { agent_id: 'agt_x' }, 'data'))
  await expect(missing).rejects.toMatchObject({ number: 'E0004', details: { faults: [{ path: 'data.agent_id' }] } })
})
