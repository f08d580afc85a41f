import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

interface Row {
  // biome-ignore lint/suspicious/noExplicitAny: results are looked into freely
  [field: string]: any
}

const TOOL = {
  name: 'word_count',
  version: '1.2.0',
  description: 'Counts the words of a text.',
  input_schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  output_schema: { type: 'object', properties: { words: { type: 'integer' } }, required: ['words'] },
  source: { type: 'javascript', code: 'return { words: input.text.split(/\\s+/).filter(Boolean).length }' },
}

/** Fails until it has been tried twice before; its tries are counted in the event log, which is all it may touch. */
const UNSTEADY = `
  const { items } = await tools.data.list_events({ stream: 'tries' })
  if (items.length < 2) {
    // What an earlier attempt did at the same place is not done again, so each goes one step further.
    for (let i = 0; i <= items.length; i++) await tools.data.append_event({ stream: 'tries', type: 'try.made', data: { i } })
    throw new Error('the source does not answer yet')
  }
  return { texts: input.texts, tries: items.length + 1 }`

const TASKS = [
  {
    key: 'fetch',
    kind: 'code',
    code: UNSTEADY,
    input: { texts: '{{plan.input.texts}}' },
    permissions: { tools: ['data.list_events', 'data.append_event'] },
    retry: { max_attempts: 3, backoff_ms: 20, factor: 1 },
  },
  {
    key: 'count',
    kind: 'tool',
    tool: 'word_count',
    version: '^1.0.0',
    depends_on: ['fetch'],
    for_each: '{{tasks.fetch.output.texts}}',
    input: { text: '{{item}}' },
  },
  {
    key: 'translate',
    kind: 'code',
    code: 'return "never"',
    depends_on: ['fetch'],
    when: "plan.input.language != 'en'",
  },
  {
    key: 'judge',
    kind: 'assistant',
    depends_on: ['count'],
    capabilities: ['judging'],
    instructions: 'Say which text is the longest.',
    input: { counts: '{{tasks.count.output}}', of: '{{goal.title}}' },
  },
  {
    key: 'note',
    kind: 'tool',
    tool: 'data.create_record',
    depends_on: ['judge'],
    input: {
      kind: 'feedback',
      data: { target_kind: 'goal', target_id: '{{goal.id}}', comment: '{{tasks.judge.output.longest}} is the longest' },
    },
  },
  {
    key: 'report',
    kind: 'code',
    depends_on: ['count', 'translate', 'judge', 'note'],
    input: { counts: '{{tasks.count.output}}', longest: '{{tasks.judge.output.longest}}' },
    code: 'return { total: input.counts.reduce((sum, { words }) => sum + words, 0), longest: input.longest }',
  },
]

test('a goal is carried out by code, tools and an assistant, and everything can be read back', async () => {
  const { call, callOn, close } = await open('planning', { with: ['runtime', 'tool-execution', 'data'], start: true })
  const { goal } = await call('create_goal', { title: 'Compare three texts' })
  const input = { texts: ['one two', 'one two three', 'one'], language: 'en' }
  expect((await call('validate_plan', { tasks: TASKS, input })).faults).toMatchObject([{ path: 'tasks[1].tool' }])
  await callOn('tool-execution', 'register_tool', TOOL)
  expect(await call('validate_plan', { tasks: TASKS, input })).toMatchObject({ valid: true })
  const { plan } = await call('create_plan', { goal_id: goal.id, tasks: TASKS, input })

  const started = await call('run_plan', { plan_id: plan.id })
  expect(started).toMatchObject({ waiting: 'needs_assistant', plan: { status: 'executing' } })
  expect((await call('claim_task', { plan_id: plan.id, capabilities: ['painting'] })).task).toBeNull()
  const { task, lease_token } = await call('claim_task', { plan_id: plan.id, capabilities: ['judging'] })
  expect(task.input).toMatchObject({ counts: [{ words: 2 }, { words: 3 }, { words: 1 }], of: 'Compare three texts' })
  await call('complete_task', { task_id: task.id, lease_token, output: { longest: 'the second' } })

  const ended = await call('run_plan', { plan_id: plan.id })
  expect(ended).toMatchObject({ waiting: 'ended', run_id: started.run_id, plan: { status: 'completed' } })
  const result = { total: 6, longest: 'the second' }
  expect((await call('get_goal', { goal_id: goal.id })).goal).toMatchObject({
    status: 'completed',
    result: { report: result },
  })

  await readBack(callOn, { goal_id: goal.id, plan_id: plan.id, run_id: started.run_id })
  await close()
})

type CallOn = (server: string, tool: string, args: object) => Promise<Row>

async function readBack(callOn: CallOn, ids: { goal_id: string; plan_id: string; run_id: string }): Promise<void> {
  const { items: tasks } = await callOn('data', 'list_records', {
    kind: 'task',
    filter: { plan_id: ids.plan_id },
    limit: 200,
  })
  const states = Object.fromEntries(tasks.map((task: Row) => [task['key'], task['status']]))
  expect(states).toMatchObject({
    'count[0]': 'completed',
    'count[2]': 'completed',
    translate: 'skipped',
    report: 'completed',
  })
  for (const task of tasks) {
    const { items } = await callOn('data', 'list_events', { stream: `task/${task.id}`, limit: 200 })
    expect(items.map((event: Row) => event['version'])).toEqual(items.map((_: Row, i: number) => i + 1))
    expect(items.at(-1).data.record.status).toBe(task.status)
  }
  const { items: notes } = await callOn('data', 'list_records', { kind: 'feedback' })
  expect(notes).toMatchObject([{ target_id: ids.goal_id, comment: 'the second is the longest' }])
  const history = await callOn('data', 'get_record_history', { kind: 'goal', id: ids.goal_id })
  const moves = history['items'].map((change: Row) => change['changes'].status?.to).filter(Boolean)
  expect(moves).toEqual(['pending', 'active', 'completed'])

  const { run, steps, usage, timeline } = await callOn('runtime', 'get_run', { run_id: ids.run_id })
  expect(run).toMatchObject({ status: 'succeeded', plan_id: ids.plan_id, output: { report: { total: 6 } } })
  const fetched = steps.find((step: Row) => step['key'] === 'fetch')
  expect(fetched.invocations.map((invocation: Row) => invocation['status'])).toEqual(['failed', 'failed', 'succeeded'])
  expect(steps.find((step: Row) => step['key'] === 'count[1]').invocations).toMatchObject([
    { tool: 'word_count', tool_version: '1.2.0' },
  ])
  expect(usage.invocations).toBeGreaterThanOrEqual(8)
  expect(timeline.at(-1)).toMatchObject({ what: 'plan', to: 'completed' })
}
