import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Caller } from '../auth/index.ts'
import { createRecord, getRecord } from '../data/index.ts'
import type { TenantScope } from '../db/index.ts'
import { checkProperty, type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import {
  type ClaimedTask,
  claimTasks,
  createPlan,
  extendLease,
  finishTask,
  loadPlan,
  startPlan,
  type TaskDefinitionInput,
  type TaskOutcome,
} from './index.ts'
import { reconcile } from './reconcile.ts'

/**
 * Random plans under random workers against a plain model of what a plan means. Workers claim at the same time, finish, extend,
 * die without a word, and come back with results of leases they lost; time jumps past leases. Whatever happens in between, the
 * end is the model's, every result was recorded once, and nothing ran before what it depends on.
 */
interface Shape {
  deps: number[]
  when: 'none' | 'true' | 'false' | 'first'
  binds: boolean
  fan: number | undefined
  lenient: boolean
  attempts: number
  /** Per attempt: ok, a failure worth a retry, a failure for good. */
  script: ('ok' | 'retry' | 'fatal')[]
}

const shape: fc.Arbitrary<Shape> = fc.record({
  deps: fc.array(fc.nat(), { maxLength: 3 }),
  when: fc.constantFrom('none', 'none', 'none', 'true', 'false', 'first'),
  binds: fc.boolean(),
  fan: fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 5 }),
  lenient: fc.boolean(),
  attempts: fc.integer({ min: 1, max: 3 }),
  script: fc.array(fc.constantFrom('ok', 'ok', 'ok', 'ok', 'retry', 'fatal'), { minLength: 3, maxLength: 3 }),
})
const run = fc.record({
  shapes: fc.array(shape, { minLength: 1, maxLength: 9 }),
  moves: fc.infiniteStream(fc.nat({ max: 999 })),
})

const LEASE_MS = 3_600_000
const tally = { claims: 0, finished: 0, refused: 0 }
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

test('random plans under workers that die and lose leases end as the model says', async () => {
  await checkProperty('plan engine', run, ({ shapes, moves }) => playOne(shapes, moves), { runs: 19 })
  process.stderr.write(`${JSON.stringify(tally)}\n`)
  expect(tally.refused).toBeGreaterThan(0)
  // Many short transactions: patience for a busy machine, not a measurement.
}, 300_000)

async function playOne(shapes: readonly Shape[], moves: Iterator<number>): Promise<void> {
  const world = await World.open(shapes, () => moves.next().value as number)
  for (let step = 0; step < 400 && !(await world.ended()); step++) await world.move()
  await world.finishAll()
  await world.check()
}

function definition(shapes: readonly Shape[]): TaskDefinitionInput[] {
  return shapes.map((s, i) => {
    const depends_on = dependencies(s, i).map((d) => `t${d}`)
    const [first] = depends_on
    return {
      ...{ key: `t${i}`, kind: 'code' as const, code: 'return 1', depends_on, continue_on_failure: s.lenient },
      retry: { max_attempts: s.attempts, backoff_ms: 0 },
      ...(s.when === 'none' ? {} : { when: conditionOf(s, first) }),
      ...(s.binds && first ? { input: { from: `{{tasks.${first}.output.key}}` } } : {}),
      ...(s.fan === undefined ? {} : { for_each: Array.from({ length: s.fan }, (_, n) => n) }),
    }
  })
}

function dependencies(s: Shape, i: number): number[] {
  return i === 0 ? [] : [...new Set(s.deps.map((d) => d % i))]
}

function conditionOf(s: Shape, first: string | undefined): string | boolean {
  if (s.when === 'first') return first ? `tasks.${first}.status == 'completed'` : true
  return s.when === 'true'
}

/** What the definition means, without leases, retries in time, or transactions. */
function model(shapes: readonly Shape[]): { statuses: Map<string, string>; fails: boolean } {
  const statuses = new Map<string, string>()
  let fails = false
  for (const [i, s] of shapes.entries()) {
    const deps = dependencies(s, i).map((d) => statuses.get(`t${d}`))
    const status = meaning(s, deps)
    statuses.set(`t${i}`, status)
    if (status === 'failed' && !s.lenient) fails = true
    for (let n = 0; n < (s.fan ?? 0) && status !== 'skipped'; n++) statuses.set(`t${i}[${n}]`, outcomeOf(s))
  }
  return { statuses, fails }
}

function meaning(s: Shape, deps: (string | undefined)[]): string {
  if (s.when === 'false' || (s.when === 'first' && deps.length > 0 && deps[0] !== 'completed')) return 'skipped'
  // A fan-out's output is a list, which has no `key`: binding to one fails the task instead.
  if (s.binds && deps.length > 0 && deps[0] !== 'completed') return 'skipped'
  if (deps.length > 0 && deps.every((d) => d === 'skipped')) return 'skipped'
  if (s.fan === 0) return 'completed'
  return outcomeOf(s)
}

function outcomeOf(s: Shape): string {
  for (let attempt = 0; attempt < s.attempts; attempt++) {
    if (s.script[attempt] === 'ok') return 'completed'
    if (s.script[attempt] === 'fatal') return 'failed'
  }
  return 'failed'
}

class World {
  readonly #scope: TenantScope
  readonly #plan: string
  readonly #shapes: readonly Shape[]
  readonly #next: () => number
  #held: ClaimedTask[] = []
  #lost: ClaimedTask[] = []

  private constructor(scope: TenantScope, plan: string, shapes: readonly Shape[], next: () => number) {
    this.#scope = scope
    this.#plan = plan
    this.#shapes = shapes
    this.#next = next
  }

  static async open(given: readonly Shape[], next: () => number): Promise<World> {
    // Binding to the list that a fan-out returns has no `key`: that fault is proven elsewhere.
    const shapes = given.map((s, i) => ({
      ...s,
      binds: s.binds && given[dependencies(s, i)[0] ?? i]?.fan === undefined,
    }))
    const scope = testTenant()
    const client = { surface: 'test' as const, name: 't' }
    const caller: Caller = { tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [], client }
    const planId = await db.tx(scope, async (tx) => {
      const goal = await createRecord(tx, 'goal', { title: 'g' })
      const { plan } = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks: definition(shapes) } })
      await startPlan(tx, plan.id)
      return plan.id
    })
    return new World(scope, planId, shapes, next)
  }

  async ended(): Promise<boolean> {
    const { plan } = await db.tx(this.#scope, (tx) => loadPlan(tx, this.#plan))
    return plan.phase === 'ended'
  }

  async move(): Promise<void> {
    const move = this.#next() % 10
    if (move < 3) return await this.#claimTogether()
    if (move < 7) return await this.#finishTogether()
    if (move === 7) return this.#die()
    if (move === 8) return await this.#timePasses()
    return (await this.#comeBack()) ?? (await this.#extend())
  }

  /** Three workers at once; no task may be given to two of them. */
  async #claimTogether(): Promise<void> {
    const limit = 1 + (this.#next() % 3)
    const request = { kinds: ['code'] as const, limit, worker: 'w', lease_ms: LEASE_MS }
    const claims = await Promise.all([0, 1, 2].map(() => db.tx(this.#scope, (tx) => claimTasks(tx, request))))
    const claimed = claims.flat()
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length)
    tally.claims += claimed.length
    for (const task of claimed) await this.#assertDependenciesEnded(task)
    this.#held.push(...claimed)
  }

  async #assertDependenciesEnded({ id }: ClaimedTask): Promise<void> {
    const { rows } = await db.tx(this.#scope, (tx) =>
      sql<{ status: string }>`
        select t.status from core.task_dependencies d join core.tasks t on t.id = d.depends_on_id
        where d.task_id = ${id}`.execute(tx),
    )
    for (const { status } of rows) expect(['completed', 'failed', 'skipped']).toContain(status)
  }

  async #finishTogether(): Promise<void> {
    const some = this.#held.splice(0, 1 + (this.#next() % 3))
    await Promise.all(some.map((task) => this.#finish(task)))
  }

  async #finish(task: ClaimedTask): Promise<void> {
    await db.tx(this.#scope, (tx) =>
      finishTask(tx, { task_id: task.id, lease_token: task.lease_token, outcome: this.#outcome(task) }),
    )
    tally.finished++
  }

  #outcome(task: ClaimedTask): TaskOutcome {
    const i = Number(/^t(\d+)/.exec(task.key)?.[1])
    const step = this.#shapes[i]?.script[task.attempt - 1]
    if (step === 'ok') return { status: 'completed', output: { key: task.key, attempt: task.attempt } }
    return { status: 'failed', error: { code: 'X' }, retryable: step === 'retry' }
  }

  #die(): void {
    this.#lost.push(...this.#held.splice(0, 1))
  }

  /** Every lease ends: also those of workers that live, and only did not extend in time. */
  async #timePasses(): Promise<void> {
    db.advance(LEASE_MS + 1_000)
    this.#lost.push(...this.#held.splice(0))
    await reconcile(db, {})
  }

  /** A result of a lease that was lost: refused, unless the lease is still the task's. */
  async #comeBack(): Promise<void> {
    const [task] = this.#lost.splice(0, 1)
    if (!task) return
    try {
      await this.#finish(task)
    } catch (error) {
      expect(error).toMatchObject({ number: 'E0601' })
      tally.refused++
    }
  }

  async #extend(): Promise<void> {
    const [task] = this.#held
    if (task)
      await db.tx(this.#scope, (tx) => extendLease(tx, { task_id: task.id, fence: task.fence, lease_ms: LEASE_MS }))
  }

  async finishAll(): Promise<void> {
    for (let i = 0; i < 100 && !(await this.ended()); i++) {
      await this.#timePasses()
      await this.#claimTogether()
      while (this.#held.length > 0) await this.#finishTogether()
    }
  }

  async check(): Promise<void> {
    const { plan, tasks } = await db.tx(this.#scope, (tx) => loadPlan(tx, this.#plan))
    const expected = model(this.#shapes)
    expect(plan.status).toBe(expected.fails ? 'failed' : 'completed')
    const goal = await db.tx(this.#scope, (tx) => getRecord(tx, 'goal', plan.goal_id))
    expect(goal.status).toBe(plan.status)
    const statuses = new Map(tasks.map(({ key, status }) => [key, status as string]))
    if (!expected.fails) expect(Object.fromEntries(statuses)).toEqual(Object.fromEntries(expected.statuses))
    for (const status of ['completed', 'failed', 'skipped', 'cancelled'] as const) {
      expect(plan.progress[status]).toBe(tasks.filter((t) => t.status === status).length)
    }
    expect(plan.progress).toMatchObject({ total: tasks.length, pending: 0 })
    expect(plan).toMatchObject({ tasks_total: tasks.length, tasks_completed: plan.progress.completed })
    await this.#assertRecordedOnce(tasks.map(({ id }) => id))
  }

  /** From the event log, the one truth: no task ended twice, and every attempt was recorded once. */
  async #assertRecordedOnce(ids: string[]): Promise<void> {
    const { rows } = await db.tx(this.#scope, (tx) =>
      sql<{ stream: string; ends: number; attempts: number[] }>`
        select stream,
          count(*) filter (where data->'changes'->'status'->>'to' in ('completed', 'failed', 'skipped', 'cancelled'))::int as ends,
          array_agg((data->'changes'->'attempts'->>'to')::int order by version)
            filter (where type = 'task.updated' and data->'changes' ? 'attempts') as attempts
        from core.events where stream = any(${ids.map((id) => `task/${id}`)}::text[]) group by stream`.execute(tx),
    )
    expect(rows).toHaveLength(ids.length)
    for (const { ends, attempts } of rows) {
      expect(ends).toBe(1)
      if (attempts) expect(attempts).toEqual(attempts.map((_, i) => i + 1))
    }
  }
}
