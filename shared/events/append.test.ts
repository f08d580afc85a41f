import { CompiledQuery, sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Tx } from '../db/index.ts'
import { fileDatabase, testTenant } from '../testing/index.ts'
import { appendEvents, listEvents, readStream, recordEvent, toCloudEvent } from './index.ts'

const note = (stream: string, n: number) => ({ stream, type: 'note.added', data: { n } })

test('an event carries who, where from and why, as CloudEvents 1.0 names them', async () => {
  const db = await fileDatabase()
  const scope = { ...testTenant('user:ada'), correlation_id: 'cor_1', traceparent: '00-1-2-01' }
  const [event] = await db.tx(scope, (tx) => appendEvents(tx, [note('log/a', 1)]))
  expect(event && toCloudEvent(event)).toEqual({
    specversion: '1.0',
    id: expect.stringMatching(/^evt_/),
    source: 'story-portal/test',
    type: 'note.added',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    datacontenttype: 'application/json',
    subject: 'a',
    data: { n: 1 },
    position: expect.stringMatching(/^\d{20}$/),
    stream: 'log/a',
    version: 1,
    schemaversion: 1,
    actor: 'user:ada',
    correlationid: 'cor_1',
    traceparent: '00-1-2-01',
  })
  expect(await db.tx(scope, (tx) => listEvents(tx, { correlation_id: 'cor_1' }))).toEqual([event])
})

test('events recorded anywhere in a transaction are one batch: versions per stream, positions in the order recorded', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  await db.tx(scope, async (tx) => {
    for (const [i, stream] of ['z', 'a', 'z', 'm', 'z'].entries()) recordEvent(tx, note(stream, i))
  })
  const events = await db.tx(scope, (tx) => listEvents(tx, {}))
  expect(events.map(({ stream, version, data }) => [stream, version, data])).toEqual([
    ['z', 1, { n: 0 }],
    ['a', 1, { n: 1 }],
    ['z', 2, { n: 2 }],
    ['m', 1, { n: 3 }],
    ['z', 3, { n: 4 }],
  ])
  expect(await db.tx(scope, (tx) => readStream(tx, 'z', { after_version: 1 }))).toEqual([events[2], events[4]])
})

test('a transaction that fails leaves neither row nor event', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const failing = db.tx(scope, async (tx) => {
    await appendEvents(tx, [note('s', 1)])
    recordEvent(tx, note('s', 2))
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  const [event] = await db.tx(scope, (tx) => appendEvents(tx, [note('s', 3)]))
  expect(event?.version).toBe(1)
})

test.each([
  ['behind', 1, 2],
  ['ahead', 5, 2],
  ['new expected', 0, 2],
])('expected_version %s is refused with what it is', async (_name, expected_version, actual) => {
  const db = await fileDatabase()
  const scope = testTenant()
  await db.tx(scope, (tx) => appendEvents(tx, [note('s', 1), note('s', 2)]))
  const append = db.tx(scope, (tx) => appendEvents(tx, [{ ...note('s', 3), expected_version }]))
  await expect(append).rejects.toMatchObject({
    number: 'E0012',
    code: 'CONFLICT',
    details: { actual, expected: expected_version, faults: [{ path: 'expected_version' }] },
  })
  expect(await db.tx(scope, (tx) => readStream(tx, 's'))).toHaveLength(2)
})

test('expected_version of a stream that does not exist, right ones, and two in one batch', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const append = (...versions: (number | undefined)[]) =>
    db.tx(scope, (tx) =>
      appendEvents(
        tx,
        versions.map((v, i) => ({ ...note('s', i), ...(v === undefined ? {} : { expected_version: v }) })),
      ),
    )
  await expect(append(3)).rejects.toMatchObject({ number: 'E0012', details: { actual: 0 } })
  expect(await append(0, 1, undefined, 3)).toHaveLength(4)
  await expect(append(4, 4)).rejects.toMatchObject({ number: 'E0012' })
  await expect(append(undefined, 0)).rejects.toMatchObject({ number: 'E0012' })
  expect((await append(4, 5)).map((event) => event.version)).toEqual([5, 6])
})

test('who catches a refused append can not commit half a batch', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const stubborn = db.tx(scope, async (tx) => {
    await appendEvents(tx, [note('a', 1), { ...note('b', 1), expected_version: 7 }]).catch(() => 'ignored')
  })
  await expect(stubborn).rejects.toMatchObject({ number: 'E0012' })
  expect(await db.tx(scope, (tx) => listEvents(tx, {}))).toEqual([])
})

test.each(['owner', 'system', 'tenant'] as const)('the log can not be changed, not even as %s', async (kind) => {
  const db = await fileDatabase()
  const tenant = testTenant()
  await db.tx(tenant, (tx) => appendEvents(tx, [note('s', 1)]))
  const scope = { owner: { kind }, system: { kind, name: 'test' }, tenant }[kind]
  for (const statement of [
    sql`update core.events set data = '{}'`,
    sql`delete from core.events`,
    sql`truncate core.events`,
  ]) {
    // The roles lack the right; the owner and superusers meet the trigger.
    await expect(db.tx(scope as typeof tenant, (tx) => statement.execute(tx))).rejects.toThrow(
      kind === 'owner' ? 'can not be changed or removed' : /permission denied|denied|must be owner/,
    )
  }
  expect(await db.tx(tenant, (tx) => listEvents(tx, {}))).toHaveLength(1)
})

test('an event that has no tenant, or text that can not be stored, is refused before anything is written', async () => {
  const db = await fileDatabase()
  const system = { kind: 'system', name: 'test' } as const
  await expect(db.tx(system, (tx) => appendEvents(tx, [note('s', 1)]))).rejects.toThrow('needs a tenant_id')
  const scope = testTenant()
  const bad = db.tx(scope, (tx) => appendEvents(tx, [{ ...note('s', 1), data: { text: 'a\0' } }]))
  await expect(bad).rejects.toMatchObject({ number: 'E0302', details: { faults: [{ path: 'events[0].data.text' }] } })
  const { tenant_id } = scope
  const [event] = await db.tx(system, (tx) => appendEvents(tx, [{ ...note('s', 1), tenant_id }]))
  expect(event).toMatchObject({ tenant_id, actor: 'system:test', version: 1 })
})

test('another tenant sees neither events nor streams', async () => {
  const db = await fileDatabase()
  const mine = testTenant()
  await db.tx(mine, (tx) => appendEvents(tx, [note('s', 1)]))
  const seen = await db.tx(testTenant(), async (tx) => ({
    events: await listEvents(tx, { stream: 's' }),
    streams: (await sql`select * from core.streams where tenant_id = ${mine.tenant_id}`.execute(tx)).rows,
  }))
  expect(seen).toEqual({ events: [], streams: [] })
})

test('what each stream is expected at is looked up by hash: 10,000 streams cost 10,000 look-ups', async () => {
  const scope = testTenant()
  const db = await fileDatabase()
  const plan = await db.tx(scope, async (tx) => {
    const sent: CompiledQuery[] = []
    const executeQuery = tx.executeQuery.bind(tx)
    const watched = Object.assign(tx, {
      executeQuery: (query: CompiledQuery) => {
        sent.push(query)
        return executeQuery(query)
      },
    })
    await appendEvents(watched as Tx, [
      { stream: 'a/1', type: 'a.b', data: null },
      { stream: 'a/2', type: 'a.b', data: null },
    ])
    const [append] = sent
    if (!append) throw new Error('nothing was sent')
    const { rows } = await executeQuery(CompiledQuery.raw(`explain ${append.sql}`, [...append.parameters]))
    return (rows as { 'QUERY PLAN': string }[]).map((row) => row['QUERY PLAN'])
  })
  expect(plan.filter((line) => line.includes('Conflict Filter'))).toEqual([expect.stringMatching(/hashed SubPlan/)])
})
