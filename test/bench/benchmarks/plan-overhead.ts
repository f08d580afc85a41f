import { createRecord } from '@story-portal/shared/data'
import { claimTasks, createPlan, finishTask, startPlan } from '@story-portal/shared/engine'
import { type BenchDatabase, benchDatabase } from '../bench-database.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'

const SIZES = [100, 1_000, 10_000]
/** Tasks of the middle of each plan that are timed; the same number in all, so that only the plan's size differs. */
const TIMED = 80

/** What one task costs beyond its work: claimed, finished, its dependants freed. It must not grow with the plan around it. */
const planOverhead: Benchmark = {
  async run(context): Promise<Measurement[]> {
    const rows: Measurement[] = []
    for (const mode of ['postgres', 'embedded'] as const) {
      const database = await benchDatabase(context, mode)
      const ms: number[] = []
      for (const size of SIZES) {
        context.log(`${mode}, ${size} tasks`)
        ms.push(await perTask(database, size))
      }
      const [smallest = Number.NaN] = ms
      rows.push(
        ...SIZES.map((size, i): Measurement => {
          const job = `plan overhead per task, ${mode}, ${size.toLocaleString('en-US')} tasks`
          const peer = { name: '100 tasks', value: smallest }
          return { job, value: ms[i] ?? Number.NaN, unit: 'ms', better: 'lower', peer, target: smallest * 1.5 }
        }),
      )
    }
    return rows
  },
}

export default planOverhead

/** Four chains side by side, joined every tenth step: chain, fan-out and fan-in in one shape. */
function tasksOf(size: number) {
  return Array.from({ length: size }, (_, i) => {
    const depends_on = [i - 4, ...(i % 40 === 0 ? [i - 1, i - 2, i - 3] : [])].filter((n) => n >= 0).map((n) => `t${n}`)
    return { key: `t${i}`, kind: 'code' as const, code: 'return 1', depends_on, pass_outputs: false }
  })
}

async function perTask({ db, scope }: BenchDatabase, size: number): Promise<number> {
  const caller = {
    ...{ tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [] },
    client: { surface: 'test', name: 'bench' } as const,
  }
  const plan_id = await db.tx(scope, async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: `${size} tasks` })
    const { plan } = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks: tasksOf(size) } })
    await startPlan(tx, plan.id)
    return plan.id
  })
  await work({ db, scope }, plan_id, 10)
  const start = performance.now()
  const done = await work({ db, scope }, plan_id, TIMED)
  return (performance.now() - start) / done
}

async function work(
  { db, scope }: Pick<BenchDatabase, 'db' | 'scope'>,
  plan_id: string,
  wanted: number,
): Promise<number> {
  let done = 0
  while (done < wanted) {
    const request = { plan_id, kinds: ['code'] as const, limit: 4, worker: 'bench' }
    const claimed = await db.tx(scope, (tx) => claimTasks(tx, request))
    if (claimed.length === 0) throw new Error('the plan has nothing ready')
    for (const { id: task_id, lease_token } of claimed) {
      await db.tx(scope, (tx) => finishTask(tx, { task_id, lease_token, outcome: { status: 'completed', output: 1 } }))
      done++
    }
  }
  return done
}
