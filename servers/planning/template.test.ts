import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'
import { fillTemplate, planTemplates } from './template.ts'

async function run(template: string, parameters: object, work: (task: { key: string; input: never }) => unknown) {
  const { call } = await open('planning', { with: ['runtime', 'tool-execution'], start: true })
  const { goal } = await call('create_goal', { title: 'A goal' })
  const { plan } = await call('create_plan', { goal_id: goal.id, template, input: parameters })
  for (;;) {
    const { waiting } = await call('run_plan', { plan_id: plan.id })
    if (waiting === 'ended') return (await call('get_goal', { goal_id: goal.id })).goal
    const { task, lease_token } = await call('claim_task', { plan_id: plan.id })
    if (task) await call('complete_task', { task_id: task.id, lease_token, output: work(task) })
  }
}

test('map_reduce runs code on every item and once on all results', async () => {
  const parameters = {
    items: [1, 2, 3],
    map_code: 'return input.item * 10 + input.index',
    reduce_code: 'return input.results.reduce((a, b) => a + b, 0)',
  }
  expect(await run('map_reduce', parameters, () => null)).toMatchObject({ status: 'completed', result: { reduce: 63 } })
})

test('draft_review hands brief, draft and findings from step to step', async () => {
  const parameters = { brief: 'Tell of {{ships}}', criteria: ['short'] }
  const goal = await run(
    'draft_review',
    parameters,
    ({ key, input }: { key: string; input: Record<string, unknown> }) =>
      key === 'draft' ? { text: input['brief'] } : key === 'review' ? { about: input['draft'] } : input['review'],
  )
  expect(goal).toMatchObject({ status: 'completed', result: { revise: { about: { text: 'Tell of {{ships}}' } } } })
})

test('ask_each asks every question and combines the answers in order', async () => {
  const parameters = { questions: ['one', 'two'], combine: 'join' }
  const goal = await run('ask_each', parameters, ({ key, input }: { key: string; input: Record<string, unknown> }) =>
    key === 'combine' ? input['answers'] : `re ${input['question']}`,
  )
  expect(goal).toMatchObject({ status: 'completed', result: { combine: ['re one', 're two'] } })
})

test('every template is named as its file and says what it takes', async () => {
  const templates = await planTemplates()
  expect(templates.size).toBeGreaterThanOrEqual(3)
  for (const { description, parameters } of templates.values()) {
    expect(description).not.toBe('')
    expect(Object.values(parameters.shape).every((field) => field.description)).toBe(true)
  }
})

test('max_parallel of the call is kept', async () => {
  const parameters = { items: [1], map_code: 'return 1', reduce_code: 'return 1' }
  expect(await fillTemplate('map_reduce', parameters, 3)).toMatchObject({ max_parallel: 3, input: { items: [1] } })
})
