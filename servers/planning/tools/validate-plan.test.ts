import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const TASKS = [
  { key: 'a', kind: 'code', code: 'return 1' },
  { key: 'b', kind: 'code', code: 'return 2' },
  { key: 'c', kind: 'assistant', depends_on: ['a', 'b'] },
]

test('a sound definition has waves and a critical path, and nothing is stored', async () => {
  const { call } = await open('planning')
  const answer = await call('validate_plan', { tasks: TASKS })
  expect(answer).toMatchObject({ valid: true, faults: [], waves: [['a', 'b'], ['c']] })
  expect(answer.critical_path.keys).toContain('c')
  expect((await call('list_plans')).items).toEqual([])
})

test('faults are an answer, not an error, and of every source at once', async () => {
  const { call } = await open('planning', { caller: { scopes: ['planning:*'] } })
  const tasks = [...TASKS.slice(0, 1), { key: 'm', kind: 'model', prompt: 'x', depends_on: ['zz'] }]
  const answer = await call('validate_plan', { tasks })
  expect(answer.valid).toBe(false)
  const paths = answer.faults.map(({ path }: { path: string }) => path)
  expect(paths).toEqual(['tasks[1].depends_on[0]', 'tasks[1].kind', 'tasks[0].kind'])
})

test('code that does not parse and arguments that a tool would refuse are faults too', async () => {
  const { call } = await open('planning', { with: ['tool-execution'] })
  const tasks = [
    { key: 'a', kind: 'code', code: 'return return' },
    { key: 'b', kind: 'tool', tool: 'data.list_records', input: { kid: 'goal' } },
  ]
  const { valid, faults, warnings } = await call('validate_plan', { tasks })
  expect(valid).toBe(false)
  expect(warnings).toBeUndefined()
  expect(faults.map(({ path }: { path: string }) => path).sort()).toEqual([
    'tasks[0].code',
    'tasks[1].input.kid',
    'tasks[1].input.kind',
  ])
})

test('a stored plan is checked again', async () => {
  const { call, callError } = await open('planning')
  const { goal } = await call('create_goal', { title: 'A goal' })
  const { plan } = await call('create_plan', { goal_id: goal.id, tasks: TASKS })
  expect(await call('validate_plan', { plan_id: plan.id })).toMatchObject({ valid: true })
  expect(await callError('validate_plan', { plan_id: 'pln_x' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('nothing to check is refused', async () => {
  const { callError } = await open('planning')
  expect(await callError('validate_plan', {})).toMatchObject({ code: 'INVALID_INPUT', number: 'E5003' })
})
