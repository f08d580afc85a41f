import type { Benchmark, BenchmarkContext, Measurement } from '../benchmark.ts'
import { contextServer } from '../context-server.ts'
import { median, quantile } from '../median.ts'
import { seedContexts, seededTask } from '../seed-contexts.ts'

const CALLS = 100
const SIZES = [
  { tasks: 1_000, versions: 50 },
  { tasks: 10_000, versions: 5 },
  { tasks: 100_000, versions: 1 },
] as const
const TARGETS = { save: 30, get: 30, search: 100 } as const
type Job = keyof typeof TARGETS

const NAMES: Record<Job, string> = {
  save: 'save_context_snapshot p95',
  get: 'get_unified_context p95',
  search: 'search_contexts p95',
}

/** What contexts cost as they grow: each call through the whole pipeline, beside the same on the smallest project. */
const contexts: Benchmark = {
  async run(context): Promise<Measurement[]> {
    const rows: Measurement[] = []
    for (const mode of ['postgres', 'embedded'] as const) {
      const measured: Times[] = []
      for (const size of SIZES) {
        context.log(`${mode}, ${size.tasks} tasks x ${size.versions} versions`)
        measured.push(await measure(context, mode, size))
      }
      for (const job of Object.keys(TARGETS) as Job[])
        rows.push(...SIZES.map((_size, i) => row(mode, job, { measured, i })))
    }
    return rows
  },
}

export default contexts

type Times = Record<Job, number>

function row(mode: string, job: Job, { measured, i }: { measured: readonly Times[]; i: number }): Measurement {
  const { tasks, versions } = SIZES[i] ?? SIZES[0]
  const first = measured[0]?.[job] ?? Number.NaN
  const twice = job === 'search' ? TARGETS[job] : Math.min(TARGETS[job], first * 2)
  return {
    job: `${NAMES[job]}, ${mode}, ${tasks.toLocaleString('en-US')} tasks x ${versions}`,
    value: measured[i]?.[job] ?? Number.NaN,
    ...{ unit: 'ms', better: 'lower', target: i === 0 ? TARGETS[job] : twice },
    ...(i > 0 && { peer: { name: '1,000 tasks x 50', value: first } }),
  }
}

async function measure(
  context: BenchmarkContext,
  mode: 'postgres' | 'embedded',
  size: (typeof SIZES)[number],
): Promise<Times> {
  const call = await server(context, mode, size)
  let n = 0
  // Steps of 7,919, a prime: all over the project.
  const some = () => seededTask((++n * 7_919) % size.tasks)
  const jobs: Record<Job, () => Promise<unknown>> = {
    save: () =>
      call('save_context_snapshot', {
        task_id: some(),
        updates: { next_action: `step ${n}`, done_steps: [`what was done in ${n}`], notes: NOTES },
      }),
    get: () => call('get_unified_context', { task_id: some() }),
    // A word that few have, one that many have, two together, a sentence, and words that all have.
    search: () => call('search_contexts', { project: 'bench', query: QUERIES[++n % QUERIES.length]?.(n) ?? '' }),
  }
  const times: Record<Job, number[]> = { save: [], get: [], search: [] }
  for (let round = 0; round < context.rounds; round++)
    for (const job of Object.keys(jobs) as Job[]) times[job].push(await p95(jobs[job]))
  return { save: median(times.save), get: median(times.get), search: median(times.search) }
}

const NOTES = 'what the assistant has found out about the parser on its way. '.repeat(10)
const QUERIES = [
  (n: number) => `module${n % 1_000}`,
  (n: number) => `area${n % 50}`,
  (n: number) => `lexer module${n % 1_000}`,
  () => 'where do the tokens of the parser come from',
  () => 'parser tests',
]

async function p95(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  return quantile(times, 0.95)
}

async function server(context: BenchmarkContext, mode: 'postgres' | 'embedded', size: (typeof SIZES)[number]) {
  const { db, scope, call } = await contextServer(context, mode)
  const { project } = (await call('create_project', { name: 'bench' })) as { project: { id: string } }
  await seedContexts(db, scope, { project_id: project.id, ...size })
  return call
}
