import { open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

// biome-ignore lint/suspicious/noExplicitAny: outputs are looked into freely
type Loose = any
type Answers = Record<string, (input: Loose) => unknown>

let hub: Awaited<ReturnType<typeof open>>
beforeAll(async () => {
  hub = await open('service-hub', {
    with: ['planning', 'runtime', 'tool-execution', 'data', 'supervision'],
    start: true,
  })
})

/** Runs it to its end, answering each assistant task by its key; the outputs by key. */
async function carryOut(
  name: string,
  parameters: object,
  answers: Answers = {},
  allow = true,
): Promise<Record<string, Loose>> {
  let state = await hub.call('run_workflow', { name, parameters })
  for (let turn = 0; state.waiting.startsWith('needs_') && turn < 40; turn++) {
    if (state.waiting === 'needs_approval') {
      await decide(allow)
      state = { ...state, ...(await hub.callOn('planning', 'run_plan', { plan_id: state.plan_id })) }
      continue
    }
    const { task, lease_token } = await hub.callOn('planning', 'claim_task', { plan_id: state.plan_id }).then(claimed)
    const answer = answers[String(task.key).replace(/[[#:].*$/, '')]
    if (!answer) throw new Error(`nobody answers ${task.key}`)
    await hub.callOn('planning', 'complete_task', { task_id: task.id, lease_token, output: answer(task.input) })
    state = { ...state, ...(await hub.callOn('planning', 'run_plan', { plan_id: state.plan_id })) }
  }
  expect(state.plan, JSON.stringify(state.tasks)).toMatchObject({ status: 'completed' })
  return Object.fromEntries(
    state.tasks.map((task: Loose) => [task.key, task.status === 'skipped' ? null : task.output]),
  )
}

/** As a person does it. */
async function decide(allow: boolean) {
  const { items } = await hub.callOn('supervision', 'list_approvals', {})
  const decision = allow ? 'approve' : 'deny'
  await hub.callOn('supervision', 'decide_approval', { approval_id: items[0].id, decision, note: 'as agreed' })
}

function claimed(answer: Loose) {
  expect(answer.task, JSON.stringify(answer)).toBeTruthy()
  return { task: answer.task, lease_token: answer.lease_token ?? answer.task.lease_token }
}

test('testing.unit: a failure is diagnosed, and a clean run needs no diagnosis', async () => {
  const failures = [{ test: 'adds', message: 'expected 3' }]
  const causes = [{ test: 'adds', cause: 'off by one', fix: 'start at 0' }]
  const bad = await carryOut(
    'testing.unit',
    { project: 'a' },
    { run: () => ({ passed: 9, failed: 1, failures }), diagnose: () => ({ causes }) },
  )
  expect(bad['report']).toEqual({ ok: false, passed: 9, failed: 1, failures, causes })
  const good = await carryOut('testing.unit', { project: 'a' }, { run: () => ({ passed: 10, failed: 0 }) })
  expect(good['report']).toMatchObject({ ok: true, causes: [] })
  expect(good['diagnose']).toBeNull()
})

test('testing.integration: each suite is run and what was started is stopped', async () => {
  let stopped: unknown
  const { report } = await carryOut(
    'testing.integration',
    { project: 'a', suites: ['one', 'two'], services: 'a database' },
    {
      set_up: () => ({ ready: true, started: ['db'] }),
      suites: ({ command }) => ({ passed: command === 'one' ? 3 : 4, failed: 0 }),
      take_down: ({ started }) => {
        stopped = started
        return { stopped: started }
      },
    },
  )
  expect(report).toEqual({ ok: true, passed: 7, failed: 0, failures: [] })
  expect(stopped).toEqual(['db'])
})

const DEPLOY = { service: 'api', version: '2.0.0', check: 'GET /health' }

test('deployment.standard: deployed, rolled back, refused', async () => {
  const answers = (healthy: boolean): Answers => ({
    build: () => ({ ok: true, artifact: 'api-2' }),
    deploy: () => ({ deployed: true, previous: '1.9.0' }),
    check: () => ({ healthy }),
    roll_back: ({ deploy }) => ({ restored: deploy.previous }),
  })
  const name = 'deployment.standard'
  expect((await carryOut(name, DEPLOY, answers(true)))['report']).toMatchObject({ deployed: true, reason: 'as agreed' })
  expect((await carryOut(name, DEPLOY, answers(false)))['report']).toMatchObject({
    deployed: false,
    rolled_back: '1.9.0',
  })
  const refused = await carryOut(name, DEPLOY, answers(true), false)
  expect(refused['report']).toMatchObject({ deployed: false, rolled_back: null })
  expect(refused['deploy']).toBeNull()
})

test('deployment.canary: goes to the end, or stops and rolls back at the first step over a limit', async () => {
  const parameters = { service: 'api', version: '2.0.0', steps: [10, 100] }
  const well = { shift_1: () => ({ error_rate: 0, p95_ms: 80 }), shift_2: () => ({ error_rate: 0.001, p95_ms: 90 }) }
  const done = await carryOut('deployment.canary', parameters, well)
  expect(done['report']).toMatchObject({ ok: true, percent: 100, rolled_back: null })
  const ill = { shift_1: () => ({ error_rate: 0.2, p95_ms: 80 }), roll_back: () => ({ restored: true }) }
  const stopped = await carryOut('deployment.canary', parameters, ill)
  expect(stopped['report']).toMatchObject({ ok: false, percent: 10, rolled_back: true })
  expect(stopped['shift_2']).toBeNull()
})

test('data_pipeline.etl: rows become events, one each', async () => {
  const stream = 'etl-out'
  await hub.callOn('planning', 'create_goal', { title: 'a row' })
  const { report } = await carryOut('data_pipeline.etl', {
    source: { tool: 'planning.list_goals', arguments: { query: 'a row' } },
    transform: `return input.rows.items.map(({ title }) => ({ stream: '${stream}', type: 'row.loaded', data: { title } }))`,
    target: { tool: 'data.append_event' },
  })
  expect(report).toEqual({ loaded: 1 })
  const { items } = await hub.callOn('data', 'list_events', { stream })
  expect(items).toMatchObject([{ type: 'row.loaded', data: { title: 'a row' } }])
})

test('monitoring.health_check: needs nobody', async () => {
  const { verdict } = await carryOut('monitoring.health_check', {})
  expect(verdict).toMatchObject({ healthy: true, servers: 6, ill: [] })
})

test('incident.response: mends only what a person allowed', async () => {
  const answers: Answers = {
    diagnose: ({ symptom }) => ({ cause: `of ${symptom}`, evidence: ['log'], fix: 'restart', undo: 'none' }),
    mend: () => ({ gone: true, done: 'restarted' }),
  }
  expect((await carryOut('incident.response', { symptom: 'slow' }, answers))['report']).toMatchObject({
    cause: 'of slow',
    approved_by: 'user:local',
    solved: true,
  })
  expect((await carryOut('incident.response', { symptom: 'slow' }, answers, false))['report']).toMatchObject({
    approved_by: null,
    solved: false,
  })
})

test('review.change: what was refuted is not reported', async () => {
  const { report } = await carryOut(
    'review.change',
    { change: '-a +b', sides: ['tests', 'security'] },
    {
      look: ({ side }) => ({ findings: [{ place: 'a.ts:1', problem: side, severity: 'low' }] }),
      verify: ({ findings }) => ({ holds: findings.slice(1).map(({ id }: Loose) => id) }),
    },
  )
  expect(report).toMatchObject({ accept: false, findings: [{ id: 1, problem: 'security' }], refuted: 1 })
  const clean = await carryOut('review.change', { change: 'x', sides: ['tests'] }, { look: () => ({ findings: [] }) })
  expect(clean['report']).toMatchObject({ accept: true })
})

test('research.question: a part without a source stays open', async () => {
  const { report } = await carryOut(
    'research.question',
    { question: 'why?' },
    {
      split: () => ({ parts: ['a?', 'b?'] }),
      find: ({ question }) => ({ question, answer: 'x', sources: question === 'a?' ? ['https://a.example'] : [] }),
      join: ({ open }) => ({ text: `without ${open}` }),
    },
  )
  expect(report).toEqual({ text: 'without b?', sources: ['https://a.example'], open: ['b?'] })
})

test('the same key again is the same goal and plan', async () => {
  const args = { name: 'monitoring.health_check', idempotency_key: 'k'.repeat(200) }
  const first = await hub.call('run_workflow', args)
  const again = await hub.call('run_workflow', args)
  expect([again.goal_id, again.plan_id]).toEqual([first.goal_id, first.plan_id])
})

test('a parameter that does not fit makes nothing', async () => {
  const before = (await hub.callOn('planning', 'list_goals', { limit: 200 })).items.length
  expect(await hub.callError('run_workflow', { name: 'testing.unit', parameters: { projekt: 'a' } })).toMatchObject({
    number: 'E0001',
    details: { faults: [{ path: 'parameters.project' }, { path: 'parameters.projekt' }] },
  })
  expect((await hub.callOn('planning', 'list_goals', { limit: 200 })).items).toHaveLength(before)
})

test('a reader may not run one', async () => {
  const { callError } = await open('service-hub', { caller: { roles: ['reader'] } })
  expect(await callError('run_workflow', { name: 'monitoring.health_check' })).toMatchObject({ code: 'DENIED' })
})
