import { type Opened, open } from '@story-portal/shared/testing'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'

const SEED = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const RUNS = 20
const TASKS = 5

let tools: Opened
beforeAll(async () => {
  tools = await open('context-orchestrator')
})

const step = fc.record({
  from: fc.nat(TASKS - 1),
  to: fc.nat(TASKS - 1),
  what: fc.constantFrom('depends_on', 'blocks', 'remove', 'complete', 'reopen'),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** What the graph of a project has to be: of each task what it depends on, and whether it is done. */
class Model {
  needs = Array.from({ length: TASKS }, () => new Set<number>())
  done = Array.from({ length: TASKS }, () => false)
  readonly ids: string[]
  constructor(ids: string[]) {
    this.ids = ids
  }
  reaches(a: number, b: number): boolean {
    return a === b || [...(this.needs[a] ?? [])].some((n) => this.reaches(n, b))
  }
  blockers(i: number): string[] {
    return [...(this.needs[i] ?? [])].filter((n) => !this.done[n]).map((n) => this.ids[n] ?? '')
  }
  chain(i: number): number {
    return Math.max(0, ...[...(this.needs[i] ?? [])].map((n) => this.chain(n))) + (this.done[i] ? 0 : 1)
  }
}

async function carryOut(model: Model, { from, to, what }: Step): Promise<void> {
  const [task_id, target_id] = [model.ids[from], model.ids[to]]
  if (what === 'complete' || what === 'reopen') {
    model.done[from] = what === 'complete'
    const status = model.done[from] ? 'completed' : 'active'
    await tools.call('save_context_snapshot', { task_id, updates: {}, status })
    return
  }
  const remove = what === 'remove'
  const [a, b] = what === 'blocks' ? [to, from] : [from, to]
  const link = { task_id, target_id, relation: remove ? 'depends_on' : what, remove }
  if (from === to || (!remove && model.reaches(b, a))) {
    const number = from === to ? 'E14012' : 'E14013'
    expect(await tools.callError('link_tasks', link)).toMatchObject({ number })
    return
  }
  await tools.call('link_tasks', link)
  if (remove) model.needs[a]?.delete(b)
  else model.needs[a]?.add(b)
}

test('whatever is linked, unlinked and completed, there is no circle, and readiness and the longest chain are as a model says', async () => {
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      const project = `g${++round}`
      const ids: string[] = []
      for (let i = 0; i < TASKS; i++)
        ids.push((await tools.call('create_task_context', { project, title: `t${i}` })).task_id)
      const model = new Model(ids)
      for (const one of steps) await carryOut(model, one)
      const { nodes, critical_path } = await tools.call('get_task_graph', { project })
      for (const { id, ready, blocked_by } of nodes) {
        const blockers = model.blockers(ids.indexOf(id)).toSorted()
        expect({ blocked_by: blocked_by.toSorted(), ready }).toEqual({
          blocked_by: blockers,
          ready: !model.done[ids.indexOf(id)] && blockers.length === 0,
        })
      }
      const linked = nodes.map(({ id }: { id: string }) => model.chain(ids.indexOf(id)))
      expect(critical_path).toHaveLength(Math.max(0, ...linked))
    }),
    { numRuns: RUNS, seed: SEED },
  )
  process.stderr.write(`property "task graph": ${RUNS} runs, PROPERTY_SEED=${SEED}\n`)
}, 120_000)

test('only what is around a task, as a picture, and cut where there is too much', async () => {
  const { call } = await open('context-orchestrator')
  const ids: string[] = []
  for (const title of ['Plan "it"', 'Do it', 'Check it', 'Ship it'])
    ids.push((await call('create_task_context', { title })).task_id)
  for (let i = 1; i < ids.length; i++)
    await call('link_tasks', { task_id: ids[i], relation: 'depends_on', target_id: ids[i - 1] })
  const near = await call('get_task_graph', { task_id: ids[0], depth: 1, format: 'mermaid' })
  expect(near.nodes.map(({ id }: { id: string }) => id)).toEqual([ids[0], ids[1]])
  expect(near.mermaid).toBe(
    'flowchart LR\n  t0["Plan  it <br>ready"]\n  t1["Do it<br>active"]\n  t1 -->|depends_on| t0',
  )
  expect(near.omitted).toBe(2)
  // What is beyond the cut blocks all the same.
  const end = await call('get_task_graph', { task_id: ids[3], depth: 1 })
  expect(end.nodes.map(({ id, ready, blocked_by }: Record<string, unknown>) => [id, ready, blocked_by])).toEqual([
    [ids[3], false, [ids[2]]],
    [ids[2], false, [ids[1]]],
  ])
  const all = await call('get_task_graph')
  expect(all).toMatchObject({ omitted: 0, critical_path: ids.toReversed() })
  expect(await call('get_task_graph', { limit: 3 })).toMatchObject({ omitted: 1 })
  expect(await call('get_task_graph', { project: 'nowhere' })).toMatchObject({ nodes: [], edges: [] })
})
