import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let planning: Opened
beforeAll(async () => {
  planning = await open('planning', { start: true, with: ['runtime', 'tool-execution', 'supervision', 'service-hub'] })
  await planning.callOn('tool-execution', 'register_tool', {
    name: 'deploy',
    version: '1.0.0',
    description: 'Asks first.',
    requires_approval: true,
    input_schema: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
    source: { type: 'javascript', code: 'return { deployed: input.to }' },
  })
})

async function runPlan(to: string) {
  const { goal } = await planning.call('create_goal', { title: `Deploy to ${to}` })
  const tasks = [
    { key: 'where', kind: 'code', code: `return ${JSON.stringify(to)}` },
    { key: 'deploy', kind: 'tool', tool: 'deploy', depends_on: ['where'], input: { to: '{{tasks.where.output}}' } },
    { key: 'after', kind: 'code', depends_on: ['deploy'], code: 'return input.deploy.deployed' },
  ]
  const { plan } = await planning.call('create_plan', { goal_id: goal.id, tasks })
  const parked = await planning.call('run_plan', { plan_id: plan.id })
  const [approval] = (await planning.callOn('supervision', 'list_approvals', {})).items
  return { plan_id: plan.id, parked, approval }
}
const decide = (approval_id: string, more: object) =>
  planning.callOn('supervision', 'decide_approval', { approval_id, ...more })
const statusOf = (answer: { tasks: { key: string; status: string }[] }, key: string) =>
  answer.tasks.find((task) => task.key === key)?.status

test('a task whose call must be allowed is put aside, and goes on after the decision', async () => {
  const { plan_id, parked, approval } = await runPlan('production')
  expect(parked).toMatchObject({ waiting: 'needs_approval', plan: { status: 'executing' } })
  expect(statusOf(parked, 'deploy')).toBe('waiting')
  expect(approval).toMatchObject({ tool: 'deploy', arguments: { to: 'production' } })
  await decide(approval.id, { decision: 'approve', arguments: { to: 'staging' } })
  const ended = await planning.call('run_plan', { plan_id })
  expect(ended).toMatchObject({ waiting: 'ended', plan: { status: 'completed' } })
  expect(ended.tasks.find((task: { key: string }) => task.key === 'after')).toMatchObject({ output: 'staging' })
  const calls = await planning.callOn('tool-execution', 'list_invocations', { tool: 'deploy', status: 'succeeded' })
  expect(calls.items).toHaveLength(1)
})

test('a denied task fails its plan with the reason', async () => {
  const { plan_id, approval } = await runPlan('moon')
  await decide(approval.id, { decision: 'deny', note: 'no rocket' })
  const ended = await planning.call('run_plan', { plan_id })
  expect(ended).toMatchObject({ plan: { status: 'failed' } })
  expect(ended.tasks.find((task: { key: string }) => task.key === 'deploy')).toMatchObject({
    status: 'failed',
    error: { number: 'E0520', message: expect.stringContaining('no rocket') },
  })
  // The plan decides whether its task is tried again; a retry beside it could do it twice.
  const { items } = await planning.callOn('tool-execution', 'list_invocations', { tool: 'deploy', status: 'denied' })
  const retry = planning.callOn('tool-execution', 'retry_invocation', { invocation_id: items[0].id })
  await expect(retry).rejects.toMatchObject({ number: 'E3061' })
})

test('a cancelled plan withdraws what it asked for', async () => {
  const { plan_id, approval } = await runPlan('nowhere')
  await planning.call('cancel_plan', { plan_id })
  const answer = await planning.callOn('supervision', 'list_approvals', { status: 'cancelled' })
  expect(answer.items.map(({ id }: { id: string }) => id)).toContain(approval.id)
})

test('cancelling the parked call lets its task fail', async () => {
  const { plan_id, approval } = await runPlan('limbo')
  await planning.callOn('tool-execution', 'cancel_invocation', { invocation_id: approval.invocation_id })
  expect(await planning.call('run_plan', { plan_id })).toMatchObject({ waiting: 'ended', plan: { status: 'failed' } })
})

async function ask(question: object = {}) {
  const { goal } = await planning.call('create_goal', { title: 'Ask' })
  const approval = {
    key: 'ask',
    kind: 'approval',
    prompt: 'Ship it?',
    input: { to: '{{plan.input.where}}' },
    ...question,
  }
  const after = { key: 'after', kind: 'code', depends_on: ['ask'], code: 'return input.ask' }
  const { plan } = await planning.call('create_plan', {
    goal_id: goal.id,
    tasks: [approval, after],
    input: { where: 'all' },
  })
  const parked = await planning.call('run_plan', { plan_id: plan.id })
  const { items } = await planning.callOn('supervision', 'list_approvals', {})
  return { plan_id: plan.id, parked, approval: items[0] }
}
const taskOf = (answer: { tasks: { key: string }[] }, key: string) => answer.tasks.find((task) => task.key === key)

test('a question in a plan waits for a person, whose answer the tasks after it get', async () => {
  const { plan_id, parked, approval } = await ask()
  expect(parked).toMatchObject({ waiting: 'needs_approval' })
  expect(approval).toMatchObject({ tool: 'approval', reason: 'Ship it?', arguments: { to: 'all' } })
  await decide(approval.id, { decision: 'approve', arguments: { to: 'eu' }, note: 'eu first' })
  const ended = await planning.call('run_plan', { plan_id })
  expect(ended).toMatchObject({ waiting: 'ended', plan: { status: 'completed' } })
  expect(taskOf(ended, 'after')).toMatchObject({
    output: { approved: true, answer: { to: 'eu' }, note: 'eu first', decided_by: expect.any(String) },
  })
})

test('answered with no, the plan fails, or goes on where it says so', async () => {
  const denied = await ask()
  await decide(denied.approval.id, { decision: 'deny', note: 'not today' })
  const failed = await planning.call('run_plan', { plan_id: denied.plan_id })
  expect(failed.plan.status).toBe('failed')
  expect(taskOf(failed, 'ask')).toMatchObject({
    error: { number: 'E0520', message: expect.stringContaining('not today') },
  })
  const optional = await ask({ continue_on_failure: true })
  await decide(optional.approval.id, { decision: 'deny' })
  expect((await planning.call('run_plan', { plan_id: optional.plan_id })).plan.status).toBe('completed')
})

test('only those named may answer, and who waits too long is told so', async () => {
  const { plan_id, approval } = await ask({ approvers: ['user:boss'] })
  await expect(decide(approval.id, { decision: 'approve' })).rejects.toThrow('asked of user:boss')
  const boss = await open('supervision', { caller: { tenant_id: planning.tenant, subject: 'user:boss' } })
  await boss.call('decide_approval', { approval_id: approval.id, decision: 'approve' })
  expect((await planning.call('run_plan', { plan_id })).plan.status).toBe('completed')
  const late = await ask({ timeout_ms: 60_000 })
  await planning.db.advance(61_000)
  await expect
    .poll(async () => (await planning.call('run_plan', { plan_id: late.plan_id })).plan.status, { timeout: 20_000 })
    .toBe('failed')
})

test.each(['tool-execution.invoke_tool', 'service-hub.call_tool', 'service-hub.run_script', 'tool-execution.run_code'])(
  'a task that calls %s waits for the person too, and has the outcome',
  async (tool) => {
    const call = { tool: 'deploy', arguments: { to: tool } }
    const code = 'return (await tools.tool_execution.invoke_tool(input)).invocation.output'
    const inputs: Record<string, object> = {
      'tool-execution.invoke_tool': call,
      'service-hub.call_tool': { server: 'registered', ...call },
      'service-hub.run_script': { code, input: call },
      'tool-execution.run_code': { code, input: call, repeatable: true, permissions: { tools: ['*'] } },
    }
    const { goal } = await planning.call('create_goal', { title: tool })
    const tasks = [
      { key: 'deploy', kind: 'tool', tool, input: inputs[tool] },
      { key: 'after', kind: 'code', depends_on: ['deploy'], code: 'return JSON.stringify(input.deploy)' },
    ]
    const { plan } = await planning.call('create_plan', { goal_id: goal.id, tasks })
    const parked = await planning.call('run_plan', { plan_id: plan.id })
    expect(parked).toMatchObject({ waiting: 'needs_approval', plan: { status: 'executing' } })
    expect(statusOf(parked, 'deploy')).toBe('waiting')
    const [approval] = (await planning.callOn('supervision', 'list_approvals', { status: 'pending' })).items
    await decide(approval.id, { decision: 'approve' })
    const ended = await planning.call('run_plan', { plan_id: plan.id })
    expect(ended).toMatchObject({ waiting: 'ended', plan: { status: 'completed' } })
    const { output } = ended.tasks.find((task: { key: string }) => task.key === 'after')
    expect(output).toContain(`"deployed":"${tool}"`)
  },
)
