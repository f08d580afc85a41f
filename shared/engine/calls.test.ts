import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Caller } from '../auth/index.ts'
import { recordHistory } from '../data/index.ts'
import type { TenantScope } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import { createJobs, type Jobs } from '../jobs/index.ts'
import { silentLog, type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import {
  type CallSpec,
  callErrors,
  cancelCall,
  executeCall,
  leaseOwner,
  startReconciler,
  submitCall,
  voidOlderBoots,
  workCalls,
} from './index.ts'
import { reconcile } from './reconcile.ts'

let db: TestDatabase
let scope: TenantScope
let caller: Caller

beforeAll(async () => {
  db = await testDatabase()
  scope = testTenant()
  caller = {
    ...{ tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [] },
    client: { surface: 'test', name: 't' },
  }
})
afterAll(() => db.close())

let keys = 0
function call(more: Partial<CallSpec> & Pick<CallSpec, 'dispatch'>): CallSpec {
  return { ...{ scope, caller, key: `k${++keys}`, kind: 'code', arguments: { a: 1 }, effect: 'pure' }, ...more }
}

/** A worker that dies in the middle: its dispatch never ends and nobody extends its lease. */
async function lostWorker(spec: CallSpec): Promise<void> {
  let reached: () => void = () => {}
  const dispatching = new Promise<void>((resolve) => {
    reached = resolve
  })
  const dead = {
    ...db,
    tx: (...args: Parameters<typeof db.tx>) => (alive ? db.tx(...args) : new Promise<never>(() => {})),
  }
  let alive = true
  void executeCall(dead as never, {
    ...spec,
    dispatch: () => {
      alive = false
      reached()
      return new Promise(() => {})
    },
  })
  await dispatching
}

test('twenty callers of one key: one effect, one result, told to all', async () => {
  let effects = 0
  const key = 'shared'
  const dispatch = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    return { output: { effect: ++effects } }
  }
  const results = await Promise.all(Array.from({ length: 20 }, () => executeCall(db, call({ key, dispatch }))))
  expect(effects).toBe(1)
  expect(results.map(({ status, output }) => [status, output])).toEqual(
    new Array(20).fill(['succeeded', { effect: 1 }]),
  )
  expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
  const history = await db.tx(scope, (tx) => recordHistory(tx, 'invocation', results[0]?.id ?? '', {}))
  expect(JSON.stringify(history).match(/"succeeded"/g)?.length).toBeGreaterThan(0)
})

test('the same key with other arguments is a conflict, whatever the order of members', async () => {
  const dispatch = async () => ({ output: 1 })
  await executeCall(db, call({ key: 'args', arguments: { a: 1, b: [2] }, dispatch }))
  expect(await executeCall(db, call({ key: 'args', arguments: { b: [2], a: 1 }, dispatch }))).toMatchObject({
    replayed: true,
  })
  await expect(executeCall(db, call({ key: 'args', arguments: { a: 2 }, dispatch }))).rejects.toMatchObject({
    number: 'E0015',
  })
})

test('a failure is recorded with our words, its logs and usage, and replayed', async () => {
  const spec = call({
    dispatch: async () => ({
      error: errors.limitExceeded({ summary: 'out of memory' }),
      logs: ['l'],
      usage: { wall_ms: 3 },
    }),
  })
  expect(await executeCall(db, spec)).toMatchObject({
    status: 'failed',
    error: { code: 'LIMIT_EXCEEDED', number: 'E0006' },
    logs: ['l'],
    usage: { wall_ms: 3 },
    replayed: false,
  })
  expect(await executeCall(db, spec)).toMatchObject({ status: 'failed', replayed: true })
  const stranger = await executeCall(db, call({ dispatch: () => Promise.reject(new Error('password=hunter2')) }))
  expect(stranger).toMatchObject({ status: 'failed', error: { code: 'INTERNAL' } })
  expect(JSON.stringify(stranger)).not.toContain('hunter2')
})

test('an answer that the database can not hold is a recorded failure', async () => {
  const result = await executeCall(db, call({ dispatch: async () => ({ output: { text: 'a\0b' } }) }))
  expect(result).toMatchObject({ status: 'failed', error: { code: 'INVALID_INPUT' } })
})

test('inside a transaction a call is refused at once (I8)', async () => {
  const dispatch = async () => ({ output: 1 })
  await expect(db.tx(scope, () => executeCall(db, call({ dispatch })))).rejects.toMatchObject({ number: 'E0016' })
})

test('a pure call whose worker died runs again under a higher fence; the lease must have ended first', async () => {
  const spec = call({ lease_ms: 60_000, dispatch: async ({ fence }) => ({ output: { fence } }) })
  await lostWorker(spec)
  await expect(executeCall(db, { ...spec, timeout_ms: 150 })).rejects.toMatchObject({ number: 'E0504' })
  db.advance(61_000)
  expect(await executeCall(db, spec)).toMatchObject({ output: { fence: 2 }, fence: 2, replayed: false })
})

test('an outside effect whose worker died is asked for, never repeated in doubt', async () => {
  const sent: string[] = []
  const dispatch = async ({ key }: { key: string }) => ({ output: `sent ${sent.push(key)}` })
  const outside = (verify?: CallSpec['verify']) =>
    call({ effect: 'outside', lease_ms: 60_000, dispatch, ...(verify ? { verify } : {}) })
  const done = outside(async () => ({ state: 'done', output: 'found' }))
  const notDone = outside(async () => ({ state: 'not_done' }))
  const unknown = outside(async () => Promise.reject(new Error('receiver away')))
  const mute = outside()
  for (const spec of [done, notDone, unknown, mute]) await lostWorker(spec)
  db.advance(61_000)
  expect(await executeCall(db, done)).toMatchObject({ status: 'succeeded', output: 'found' })
  expect(await executeCall(db, notDone)).toMatchObject({ status: 'succeeded', output: 'sent 1' })
  expect(await executeCall(db, unknown)).toMatchObject({ status: 'unknown', error: { number: 'E0502' } })
  expect(await executeCall(db, mute)).toMatchObject({ status: 'unknown' })
  expect(sent).toEqual([notDone.key])
  // Asked again at each repeat, and settled once the receiver knows.
  expect(await executeCall(db, mute)).toMatchObject({ status: 'unknown', replayed: true })
  const settled = { ...unknown, verify: async () => ({ state: 'done' as const, output: 'late' }) }
  expect(await executeCall(db, settled)).toMatchObject({ status: 'succeeded', output: 'late', replayed: true })
  expect(await executeCall(db, unknown)).toMatchObject({ status: 'succeeded', output: 'late' })
})

test('a timeout ends a pure call, and leaves doubt about an outside one', async () => {
  const never = () => new Promise<never>(() => {})
  const pure = await executeCall(db, call({ timeout_ms: 30, dispatch: never }))
  expect(pure).toMatchObject({ status: 'timed_out', error: { number: 'E0500', retryable: true } })
  const outside = await executeCall(db, call({ effect: 'outside', timeout_ms: 30, dispatch: never }))
  expect(outside).toMatchObject({ status: 'unknown' })
  const verified = await executeCall(
    db,
    call({ effect: 'outside', timeout_ms: 30, dispatch: never, verify: async () => ({ state: 'not_done' }) }),
  )
  expect(verified).toMatchObject({ status: 'timed_out' })
})

test('a coded refusal of an outside effect is certain, a lost reply is not', async () => {
  const outside = (error: unknown) =>
    executeCall(db, call({ effect: 'outside', dispatch: () => Promise.reject(error) }))
  expect(await outside(errors.invalidInput({ summary: 'no' }))).toMatchObject({ status: 'failed' })
  expect(await outside(errors.unavailable({ what: 'Mail' }))).toMatchObject({ status: 'unknown' })
  expect(await outside(errors.unavailable({ what: 'Mail' }, { details: { effect: 'none' } }))).toMatchObject({
    status: 'failed',
  })
  expect(await outside(new Error('socket hang up'))).toMatchObject({ status: 'unknown' })
})

test('cancelling stops the dispatch and fences off its result', async () => {
  let aborted: unknown
  let id = ''
  const dispatching = Promise.withResolvers<void>()
  const running = executeCall(
    db,
    call({
      dispatch: ({ signal, invocation }) => {
        id = invocation.id
        signal.addEventListener('abort', () => {
          aborted = signal.reason
        })
        dispatching.resolve()
        return new Promise(() => {})
      },
    }),
  )
  await dispatching.promise
  expect(await cancelCall(db, scope, id)).toMatchObject({ status: 'cancelled', fence: 2 })
  expect(await running).toMatchObject({ status: 'cancelled', error: { number: 'E0501' } })
  expect(aborted).toBe('cancelled')
  await expect(cancelCall(db, scope, id)).rejects.toMatchObject({ number: 'E0503' })
  await expect(cancelCall(db, scope, 'inv_none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a caller that gives up cancels its call', async () => {
  const abort = new AbortController()
  const spec = call({
    signal: abort.signal,
    dispatch: async () => new Promise(() => setTimeout(() => abort.abort(), 10)),
  })
  expect(await executeCall(db, spec)).toMatchObject({ status: 'cancelled' })
})

test.each([
  ['its process stops', () => callErrors.abandoned()],
  ['its process is cut off', () => errors.unavailable({ what: 'This process' })],
  ['the worker of the code that made it lost its lease', () => 'lease_lost'],
])('a call is handed back unrecorded when %s, and the next worker ends it', async (_name, reason) => {
  const abort = new AbortController()
  const spec = call({ effect: 'journaled', dispatch: async ({ fence }) => ({ output: { fence } }) })
  const stopped = executeCall(db, {
    ...spec,
    signal: abort.signal,
    dispatch: () => new Promise(() => setTimeout(() => abort.abort(reason()), 10)),
  })
  await expect(stopped).rejects.toMatchObject({ number: 'E0506' })
  expect(await executeCall(db, spec)).toMatchObject({ status: 'succeeded', output: { fence: 2 }, replayed: false })
})

test.each(['journaled', 'pure'] as const)(
  'a %s callee that stays silent is sent the same key again',
  async (effect) => {
    const sent: string[] = []
    const spec = call({
      effect,
      dispatch: async ({ key }) => {
        if (sent.push(key) < 3) throw errors.unavailable({ what: 'The line' })
        return { output: 'found' }
      },
    })
    expect(await executeCall(db, spec)).toMatchObject({ status: 'succeeded', output: 'found' })
    expect(sent).toEqual([spec.key, spec.key, spec.key])
  },
)

test.each(['journaled', 'pure'] as const)(
  'silence of a %s call that lasts is never recorded as a failure; an answer on record is',
  async (effect) => {
    const silent = call({ effect, dispatch: () => Promise.reject(errors.unavailable({ what: 'The line' })) })
    await expect(executeCall(db, silent)).rejects.toMatchObject({ code: 'UNAVAILABLE', number: 'E0007' })
    expect(await executeCall(db, { ...silent, dispatch: async () => ({ output: 1 }) })).toMatchObject({
      ...{ status: 'succeeded', fence: 2, replayed: false },
    })
    const answer = errors.unavailable({ what: 'x' }, { details: { invocation_id: 'inv_1' } })
    const answered = call({ effect, dispatch: () => Promise.reject(answer) })
    expect(await executeCall(db, answered)).toMatchObject({ status: 'failed', error: { number: 'E0007' } })
  },
)

test('a worker that lost its lease records nothing and is told the recorded result', async () => {
  const slow = Promise.withResolvers<{ output: string }>()
  const begun = Promise.withResolvers<void>()
  const spec = call({ lease_ms: 300_000, dispatch: async () => ({ output: 'fast' }) })
  const first = executeCall(db, {
    ...spec,
    dispatch: () => {
      begun.resolve()
      return slow.promise
    },
  })
  await begun.promise
  db.advance(301_000)
  const second = await executeCall(db, spec)
  slow.resolve({ output: 'slow' })
  expect(second).toMatchObject({ output: 'fast', fence: 2, replayed: false })
  expect(await first).toMatchObject({ id: second.id, output: 'fast', replayed: true })
})

test('heartbeats keep a long dispatch alive beyond its lease', async () => {
  const result = await executeCall(
    db,
    call({
      lease_ms: 900,
      dispatch: async ({ signal }) => {
        for (let i = 0; i < 5 && !signal.aborted; i++) {
          await new Promise((resolve) => setTimeout(resolve, 600))
        }
        return { output: signal.aborted ? 'lost' : 'kept' }
      },
    }),
  )
  expect(result).toMatchObject({ status: 'succeeded', output: 'kept', fence: 1 })
})

test('a new boot voids the calls of older boots at once', async () => {
  const spec = call({ lease_ms: 3_600_000, owner: leaseOwner('old'), dispatch: async () => ({ output: 'again' }) })
  await lostWorker(spec)
  expect(await voidOlderBoots(db, 'new')).toBeGreaterThan(0)
  expect(await executeCall(db, spec)).toMatchObject({ output: 'again', fence: 2 })
})

test('a submitted call runs in the background once, also when its job or its worker is lost', async () => {
  const jobs: Jobs = await createJobs({ db, log: silentLog, poll_ms: 100 })
  await jobs.start()
  const runs: string[] = []
  const prepare = async (invocation: { call_key: string }) =>
    invocation.call_key.startsWith('bg-orphan')
      ? undefined
      : { dispatch: async () => ({ output: runs.push(invocation.call_key) }) }
  const { dispatch: _, scope: __, ...intent } = call({ key: 'bg', dispatch: async () => ({}) })
  const submitted = await db.tx(scope, (tx) => submitCall(tx, jobs, intent))
  expect(submitted).toMatchObject({ status: 'pending', replayed: false })
  expect(await db.tx(scope, (tx) => submitCall(tx, jobs, intent))).toMatchObject({ id: submitted.id, replayed: true })
  await expect(db.tx(scope, (tx) => submitCall(tx, jobs, { ...intent, arguments: 2 }))).rejects.toMatchObject({
    number: 'E0015',
  })
  const worker = await workCalls(db, jobs, { owner: leaseOwner('b'), prepare })
  await expect.poll(() => find('bg'), { timeout: 20_000 }).toBe('succeeded')

  const lost = ['bg-orphan', 'bg-dead', 'bg-orphan-outside'].map((key) =>
    call({ key, effect: key.endsWith('outside') ? 'outside' : 'pure', lease_ms: 60_000, dispatch: async () => ({}) }),
  )
  for (const spec of lost) await lostWorker(spec)
  db.advance(75_000)
  const reconciler = await startReconciler({ db, boot_id: 'r', config: db.config, log: silentLog, jobs })
  await expect.poll(() => find('bg-dead'), { timeout: 20_000 }).toBe('succeeded')
  await expect.poll(() => find('bg-orphan'), { timeout: 20_000 }).toBe('failed')
  await expect.poll(() => find('bg-orphan-outside'), { timeout: 20_000 }).toBe('unknown')
  await reconciler.stop()
  await worker.stop()
  await jobs.stop()
  expect(runs.toSorted()).toEqual(['bg', 'bg-dead'])

  async function find(key: string): Promise<string | undefined> {
    const row = await db.tx(scope, (tx) =>
      tx.selectFrom('core.invocations').select('status').where('call_key', '=', key).executeTakeFirst(),
    )
    return row?.status
  }
})

test('calls that wait for a worker get no second job, however many rounds pass', async () => {
  const jobs: Jobs = await createJobs({ db, log: silentLog, poll_ms: 100 })
  const submitted: string[] = []
  for (const key of ['wait-a', 'wait-b']) {
    const { dispatch: _, scope: __, ...intent } = call({ key, dispatch: async () => ({}) })
    submitted.push((await db.tx(scope, (tx) => submitCall(tx, jobs, intent))).id)
  }
  const waiting = async () => {
    const { rows } = await sql<{ id: string }>`
      select data->>'invocation_id' as id from pgboss.job where name = 'engine.calls' and state < 'active'
        and data->>'invocation_id' = any(${submitted}::text[]) order by 1`.execute(db.raw)
    return rows.map(({ id }) => id)
  }
  expect(await waiting()).toEqual(submitted.toSorted())
  db.advance(11_000)
  for (let round = 0; round < 2; round++) await reconcile(db, { jobs })
  expect(await waiting()).toEqual(submitted.toSorted())
  // One whose job was lost gets another.
  await sql`delete from pgboss.job where data->>'invocation_id' = ${submitted[0] ?? ''}`.execute(db.raw)
  await reconcile(db, { jobs })
  expect(await waiting()).toEqual(submitted.toSorted())
  await jobs.stop()
})
