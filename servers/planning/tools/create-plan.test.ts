import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function withGoal(options: Parameters<typeof open>[1] = {}) {
  const opened = await open('planning', options)
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  return { ...opened, goal_id: goal.id }
}

const CHAIN = [
  { key: 'fetch', kind: 'code', code: 'return [1, 2, 3]' },
  { key: 'sum', kind: 'code', depends_on: ['fetch'], input: { list: '{{tasks.fetch.output}}' }, code: 'return 6' },
  { key: 'tell', kind: 'assistant', depends_on: ['sum'], instructions: 'Tell it' },
]

test('own tasks become a validated plan with waves and critical path', async () => {
  const { call, goal_id } = await withGoal()
  const { plan, tasks } = await call('create_plan', { goal_id, tasks: CHAIN })
  expect(plan).toMatchObject({
    status: 'validated',
    strategy: 'steps',
    waves: [['fetch'], ['sum'], ['tell']],
    critical_path: ['fetch', 'sum', 'tell'],
    progress: { total: 3, completed: 0 },
  })
  expect(tasks.map((task: { key: string; status: string }) => [task.key, task.status])).toEqual([
    ['fetch', 'pending'],
    ['sum', 'pending'],
    ['tell', 'pending'],
  ])
})

// What is wrong, where it must be pointed to.
const FAULTY: [string, object[], string][] = [
  ['a cycle', [task('a', ['b']), task('b', ['a'])], 'tasks[0].depends_on[0]'],
  ['an unknown dependency', [task('a'), task('b', ['nope'])], 'tasks[1].depends_on[0]'],
  ['an unbound input', [{ ...task('a'), input: { x: '{{tasks.b.output}}' } }, task('b')], 'tasks[0].input.x'],
  ['an unknown tool', [{ key: 'a', kind: 'tool', tool: 'nobody_made_this' }], 'tasks[0].tool'],
  ['an unknown tool of a server', [{ key: 'a', kind: 'tool', tool: 'planning.nope' }], 'tasks[0].tool'],
  ['an unknown field', [{ ...task('a'), depend_on: [] }], 'tasks[0].depend_on'],
  ['a duplicate key', [task('a'), task('a')], 'tasks[1].key'],
  ['a condition that can not be read', [{ ...task('a'), when: 'tasks. >' }], 'tasks[0].when'],
  ['code missing from a code task', [{ key: 'a', kind: 'code' }], 'tasks[0].code'],
  ['an unknown kind', [{ key: 'a', kind: 'magic' }], 'tasks[0].kind'],
  ['10,001 tasks', Array.from({ length: 10_001 }, (_, i) => task(`t${i}`)), 'tasks'],
]

function task(key: string, depends_on?: string[]) {
  return { key, kind: 'assistant', ...(depends_on ? { depends_on } : {}) }
}

test.each(FAULTY)('a plan with %s is refused with the path and a hint, and nothing is kept', async (_, tasks, path) => {
  const { call, callError, goal_id } = await withGoal()
  const error = await callError('create_plan', { goal_id, tasks })
  expect(error).toMatchObject({ code: 'INVALID_INPUT', number: 'E0600' })
  expect(error.hint).not.toBe('')
  expect(error.details?.faults?.map((fault) => fault.path)).toContain(path)
  expect((await call('list_plans', { goal_id })).items).toEqual([])
  expect((await call('create_plan', { goal_id, tasks: CHAIN })).plan.status).toBe('validated')
})

test('a tool of a server that another process hosts is known by its committed definition', async () => {
  const { call, host, goal_id } = await withGoal()
  expect(host.servers.has('data')).toBe(false)
  const tasks = [
    { key: 'a', kind: 'tool', tool: 'data.list_records', input: { kind: 'goal' } },
    { key: 'b', kind: 'tool', tool: 'tool_execution.list_invocations', input: {} },
  ]
  expect((await call('create_plan', { goal_id, tasks })).plan.status).toBe('validated')
})

test('every fault is named at once', async () => {
  const { callError, goal_id } = await withGoal()
  const tasks = [task('a', ['x']), { key: 'b', kind: 'code', code: 'return 1', tool: 'y' }, { ...task('c'), when: ')' }]
  const error = await callError('create_plan', { goal_id, tasks })
  expect([...new Set(error.details?.faults?.map((fault) => fault.path))].sort()).toEqual([
    'tasks[0].depends_on[0]',
    'tasks[1].tool',
    'tasks[2].when',
  ])
})

test('what would only show when the tasks run is found now: input, code and arguments, all at once with the rest', async () => {
  const { call, callError, goal_id } = await withGoal({ with: ['tool-execution'] })
  const tasks = [
    { key: 'a', kind: 'code', code: 'return input.x', input: { x: '{{plan.input.topci}}' } },
    { key: 'b', kind: 'code', code: 'const a = 1\nreturn a +' },
    { key: 'c', kind: 'code', code: 'const a: number = 1\nreturn a', language: 'typescript' },
    { key: 'd', kind: 'tool', tool: 'planning.create_goal', input: { titel: 'x', description: 5 } },
    {
      key: 'e',
      kind: 'tool',
      tool: 'data.list_events',
      input: { limit: '{{tasks.a.output}}', type: ['x'] },
      depends_on: ['a'],
    },
    { key: 'f', kind: 'tool', tool: 'planning.create_goal', compensate: { code: 'return (' } },
    { key: 'g', kind: 'model', prompt: 'x', depends_on: ['nope'] },
  ]
  const error = await callError('create_plan', { goal_id, tasks, input: { topic: 'x' } })
  expect(error).toMatchObject({ code: 'INVALID_INPUT', number: 'E0600' })
  const found = new Map(error.details?.faults?.map((fault) => [fault.path, fault]))
  expect([...found.keys()].sort()).toEqual([
    'tasks[0].input.x',
    'tasks[1].code',
    'tasks[3].input.description',
    'tasks[3].input.titel',
    'tasks[3].input.title',
    'tasks[4].input.type',
    'tasks[5].compensate.code',
    'tasks[5].input.title',
    'tasks[6].depends_on[0]',
    'tasks[6].kind',
  ])
  expect(found.get('tasks[0].input.x')?.hint).toContain('topic')
  expect(found.get('tasks[1].code')?.message).toMatch(/^does not parse at line 2, column \d+: /)
  expect(found.get('tasks[3].input.titel')?.hint).toBe('Did you mean title?')
  expect((await call('list_plans', { goal_id })).items).toEqual([])
  const sound = { tasks: [tasks[0], tasks[2]], input: { topci: null } }
  expect(await call('create_plan', { goal_id, ...sound })).not.toHaveProperty('warnings')
})

test('code that would keep a parser busy is a fault like any other, and the server goes on', async () => {
  const { callError, call, goal_id } = await withGoal({ with: ['tool-execution'] })
  const tasks = [{ key: 'a', kind: 'code', code: `/[${'\\p{L}'.repeat(39_000)}]/u` }]
  const error = await callError('create_plan', { goal_id, tasks })
  expect(error.details?.faults).toMatchObject([{ path: 'tasks[0].code' }])
  expect((await call('create_plan', { goal_id, tasks: CHAIN })).plan.status).toBe('validated')
})

test('what can not be checked, and a task that says nothing, are warnings', async () => {
  const { call, goal_id } = await withGoal()
  const tasks = [{ key: 'a', kind: 'code', code: 'return (' }, task('b'), { ...task('c'), input: { look: 'here' } }]
  const { plan, warnings } = await call('create_plan', { goal_id, tasks })
  expect(plan.status).toBe('validated')
  expect(warnings).toEqual([
    { path: 'tasks[0].code', message: expect.stringContaining('not checked'), hint: expect.any(String) },
    {
      path: 'tasks[1].instructions',
      message: expect.stringContaining('nothing but its key'),
      hint: expect.any(String),
    },
  ])
  const revised = await call('revise_plan', { plan_id: plan.id, tasks: [task('b')] })
  expect(revised.warnings).toMatchObject([{ path: 'tasks[0].instructions' }])
})

test.each([
  ['model', { prompt: 'x' }],
  ['agent', { agent: 'y', prompt: 'x' }],
])('a %s task says what is missing here', async (kind, fields) => {
  const { callError, goal_id } = await withGoal()
  const error = await callError('create_plan', { goal_id, tasks: [{ key: 'a', kind, ...fields }] })
  expect(error).toMatchObject({
    code: 'UNAVAILABLE',
    number: 'E5001',
    details: { faults: [{ path: 'tasks[0].kind' }] },
  })
})

test('without tasks and template, and with strategy model, the missing model gateway is named', async () => {
  const { callError, goal_id } = await withGoal()
  for (const strategy of ['auto', 'model']) {
    const error = await callError('create_plan', { goal_id, strategy })
    expect(error).toMatchObject({ code: 'UNAVAILABLE', number: 'E5002' })
    expect(error.hint).toContain('map_reduce')
  }
  expect(await callError('create_plan', { goal_id, strategy: 'steps' })).toMatchObject({ number: 'E5003' })
})

test('a template is filled; text in its parameters stays text', async () => {
  const { call, goal_id } = await withGoal()
  const { plan, tasks } = await call('create_plan', {
    goal_id,
    template: 'draft_review',
    input: { brief: 'Explain {{tasks.x.output}}', criteria: ['short'] },
  })
  expect(plan).toMatchObject({ strategy: 'template', status: 'validated', waves: [['draft'], ['review'], ['revise']] })
  expect(tasks).toHaveLength(3)
})

test('an unknown template, and parameters that do not fit, are answered with what there is', async () => {
  const { callError, goal_id } = await withGoal()
  const unknown = await callError('create_plan', { goal_id, strategy: 'template' })
  expect(unknown).toMatchObject({ code: 'NOT_FOUND', number: 'E5004' })
  const templates = unknown.details?.['templates'] as { name: string }[] | undefined
  const names = (templates ?? []).map(({ name }) => name)
  expect(names.sort()).toEqual(['ask_each', 'draft_review', 'map_reduce'])
  const wrong = await callError('create_plan', { goal_id, template: 'ask_each', input: { questions: [] } })
  expect(wrong).toMatchObject({ code: 'INVALID_INPUT', number: 'E5005' })
  expect(wrong.details?.faults?.map(({ path }) => path)).toContain('input.combine')
})

test('tasks and a template together are refused', async () => {
  const { callError, goal_id } = await withGoal()
  const error = await callError('create_plan', { goal_id, strategy: 'template', template: 'ask_each', tasks: CHAIN })
  expect(error).toMatchObject({ number: 'E5010', details: { faults: [{ path: 'tasks' }] } })
})

test('an unknown goal and an ended one take no plan', async () => {
  const { call, callError, goal_id } = await withGoal()
  expect(await callError('create_plan', { goal_id: 'gol_x', tasks: CHAIN })).toMatchObject({ code: 'NOT_FOUND' })
  await call('update_goal', { goal_id, status: 'cancelled' })
  expect(await callError('create_plan', { goal_id, tasks: CHAIN })).toMatchObject({ code: 'CONFLICT', number: 'E5006' })
})

test('a caller without the right to a task may not plan it', async () => {
  const { callError, goal_id } = await withGoal({ caller: { scopes: ['planning:*'] } })
  const error = await callError('create_plan', { goal_id, tasks: CHAIN })
  expect(error).toMatchObject({ code: 'DENIED', number: 'E5011' })
  expect(error.details?.faults?.map(({ path }) => path)).toEqual(['tasks[0].kind', 'tasks[1].kind'])
})

test('a reader may not create plans', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('create_plan', { goal_id: 'gol_x', tasks: CHAIN })).toMatchObject({ code: 'DENIED' })
})
