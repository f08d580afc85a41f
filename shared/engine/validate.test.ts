import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../testing/property.ts'
import { type PlanDefinitionInput, registeredTools, type TaskDefinitionInput, validatePlan } from './index.ts'

const code = (key: string, more: Partial<TaskDefinitionInput> = {}): TaskDefinitionInput => ({
  ...{ key, kind: 'code' as const, code: 'return 1' },
  ...more,
})
const faults = (...tasks: unknown[]) => validatePlan({ tasks }).faults
const only = (...tasks: unknown[]) => {
  const found = faults(...tasks)
  expect(found).toHaveLength(1)
  return found[0]
}

test('a sound plan has waves and a critical path', () => {
  const check = validatePlan({
    tasks: [
      code('fetch', { estimate_ms: 10 }),
      code('fast', { depends_on: ['fetch'], estimate_ms: 5 }),
      code('slow', { depends_on: ['fetch'], estimate_ms: 50, input: { all: '{{tasks.fetch.output.items[0]}}' } }),
      code('join', { depends_on: ['fast', 'slow'], estimate_ms: 1, when: "plan.input.mode == 'full'" }),
    ],
    input: { mode: 'full' },
  })
  expect(check).toEqual({
    faults: [],
    waves: [['fetch'], ['fast', 'slow'], ['join']],
    critical_path: { keys: ['fetch', 'slow', 'join'], estimate_ms: 61 },
  })
})

test('a binding into the input of the plan must find something there; a condition may find nothing', () => {
  const tasks = [
    code('a', { input: { x: '{{plan.input.mode}}', y: ['{{plan.input.list[1].id}}'], z: '{{plan.input}}' } }),
    code('b', { for_each: '{{plan.input.lists}}', when: 'not plan.input.dry_run' }),
  ]
  const paths = (input?: TaskDefinitionInput['input']) =>
    validatePlan({ tasks, ...(input === undefined ? {} : { input }) }).faults.map(({ path }) => path)
  expect(paths({ mode: null, list: [1, { id: 2 }], lists: [] })).toEqual([])
  expect(paths({ mod: 1, list: [] })).toEqual(['tasks[0].input.x', 'tasks[0].input.y[0]', 'tasks[1].for_each'])
  expect(paths()).toEqual(['tasks[0].input.x', 'tasks[0].input.y[0]', 'tasks[1].for_each'])
})

test('a circle is named task by task', () => {
  const fault = only(
    code('a', { depends_on: ['c'] }),
    code('b', { depends_on: ['a'] }),
    code('c', { depends_on: ['b'] }),
  )
  expect(fault).toMatchObject({ path: 'tasks[0].depends_on[0]', message: expect.stringContaining('a -> c -> b -> a') })
  expect(only(code('a', { depends_on: ['a'] }))?.message).toContain('a -> a')
})

test.each([
  ['a duplicate key', [code('a'), code('a')], 'tasks[1].key'],
  ['an unknown dependency', [code('a', { depends_on: ['b'] })], 'tasks[0].depends_on[0]'],
  ['a dependency named twice', [code('a'), code('b', { depends_on: ['a', 'a'] })], 'tasks[1].depends_on[1]'],
  ['a binding to nothing', [code('a', { input: { deep: [{ x: '{{nothing}}' }] } })], 'tasks[0].input.deep[0].x'],
  ['a binding to an unknown task', [code('a', { input: '{{tasks.b.output}}' })], 'tasks[0].input'],
  [
    'a binding past the output',
    [code('a'), code('b', { depends_on: ['a'], input: '{{tasks.a.spec}}' })],
    'tasks[1].input',
  ],
  ['a binding to no ancestor', [code('a'), code('b', { input: { x: 'n: {{tasks.a.output}}' } })], 'tasks[1].input.x'],
  ['an item without for_each', [code('a', { input: '{{item.x}}' })], 'tasks[0].input'],
  ['a condition that ends early', [code('a', { when: '1 ==' })], 'tasks[0].when'],
  ['a condition on no ancestor', [code('a'), code('b', { when: 'tasks.a.output' })], 'tasks[1].when'],
  ['a missing code', [{ key: 'a', kind: 'code' }], 'tasks[0].code'],
  ['a missing tool', [{ key: 'a', kind: 'tool' }], 'tasks[0].tool'],
  ['a field of another kind', [code('a', { tool: 'x' })], 'tasks[0].tool'],
  ['an unknown kind', [{ key: 'a', kind: 'magic' }], 'tasks[0].kind'],
  ['an unknown field', [{ ...code('a'), colour: 'red' }], 'tasks[0].colour'],
  ['a missing key', [{ kind: 'code', code: 'x' }], 'tasks[0].key'],
  ['a key that is no name', [code('a b')], 'tasks[0].key'],
  ['a wrong type', [{ ...code('a'), timeout_ms: 'soon' }], 'tasks[0].timeout_ms'],
  ['a value out of bounds', [code('a', { retry: { max_attempts: 1_000 } })], 'tasks[0].retry.max_attempts'],
  ['a list too long', [code('a', { for_each: new Array(1_001).fill(1) })], 'tasks[0].for_each'],
  ['arguments that are a list', [{ key: 'a', kind: 'tool', tool: 't', input: [1] }], 'tasks[0].input'],
  ['a version that is none', [{ key: 'a', kind: 'tool', tool: 't', version: 'newest' }], 'tasks[0].version'],
  ['a compensation of nothing', [code('a', { compensate: {} })], 'tasks[0].compensate'],
  [
    'a compensation bound elsewhere',
    [code('a', { compensate: { code: 'x', input: '{{tasks.a.output}}' } })],
    'tasks[0].compensate.input',
  ],
])('%s is refused with its path and a hint', (_, tasks, path) => {
  const lookup = { tools: (name: string) => ({ name, version: '1.0.0' }) }
  const found = validatePlan({ tasks }, lookup).faults
  expect(found.map((fault) => fault.path)).toEqual([path])
})

test('tools are looked up where a lookup is given, also those of compensations', () => {
  const plan = {
    tasks: [
      { key: 'a', kind: 'tool', tool: 'gone' },
      { key: 'b', kind: 'tool', tool: 'off' },
      code('c', { compensate: { tool: 'gone' } }),
    ],
  }
  const tools = (name: string) => (name === 'off' ? { name, version: '1.0.0', status: 'disabled' } : undefined)
  expect(validatePlan(plan, { tools }).faults.map(({ path }) => path)).toEqual([
    'tasks[0].tool',
    'tasks[1].tool',
    'tasks[2].compensate.tool',
  ])
  expect(validatePlan(plan).faults).toEqual([])
})

test('10,001 tasks are refused before they are read, 10,000 are checked in linear time', () => {
  const wide = Array.from({ length: 10_000 }, (_, i) =>
    code(`t${i}`, {
      depends_on: Array.from({ length: Math.min(i, 5) }, (_unused, j) => `t${i - 1 - j}`),
      input: i === 0 ? {} : { far: `{{tasks.t${Math.floor(i / 2)}.output}}` },
    }),
  )
  expect(validatePlan({ tasks: wide }).faults).toEqual([])
  const [fault] = validatePlan({ tasks: [...wide, { nonsense: true }] }).faults
  expect(fault).toMatchObject({ path: 'tasks', message: expect.stringContaining('10001') })
})

test('more than a hundred faults are summed up', () => {
  const found = faults(...Array.from({ length: 150 }, (_, i) => code(`t${i}`, { depends_on: ['nobody'] })))
  expect(found).toHaveLength(101)
  expect(found.at(-1)?.message).toContain('50 more')
})

test.each([null, 7, 'plan', [], {}, { tasks: 'x' }, { tasks: [] }, { tasks: [null] }])('%j is no plan', (value) => {
  expect(validatePlan(value).faults.length).toBeGreaterThan(0)
})

/** The plain definition of what validate computes fast: is `a` reachable backwards from `b`? */
function comesBefore(tasks: TaskDefinitionInput[], a: string, b: string): boolean {
  const task = tasks.find(({ key }) => key === b)
  return (task?.depends_on ?? []).some((d) => d === a || comesBefore(tasks, a, d))
}

test('agrees with the plain definition of waves and of what comes before what, on random plans', async () => {
  const shapes = fc.array(fc.record({ deps: fc.array(fc.nat(), { maxLength: 3 }), reads: fc.nat() }), {
    minLength: 1,
    maxLength: 14,
  })
  await checkProperty('validate against the plain definition', shapes, agrees, { runs: 300 })
})

function agrees(shape: { deps: number[]; reads: number }[]): void {
  const tasks = shape.map(({ deps, reads }, i) => {
    const depends_on = i === 0 ? [] : [...new Set(deps.map((d) => `t${d % i}`))]
    return code(`t${i}`, { depends_on, input: { x: `{{tasks.t${reads % shape.length}.output}}` } })
  })
  const check = validatePlan({ tasks } satisfies PlanDefinitionInput)
  const wrong = tasks.flatMap((task, i) => {
    const read = /tasks\.(t\d+)/.exec(JSON.stringify(task.input))?.[1] ?? ''
    return comesBefore(tasks, read, task.key) ? [] : [`tasks[${i}].input.x`]
  })
  expect(check.faults.map(({ path }) => path)).toEqual(wrong)
  for (const [wave, keys] of check.waves.entries()) {
    for (const key of keys) {
      const deps = tasks.find((t) => t.key === key)?.depends_on ?? []
      const depths = deps.map((d) => check.waves.findIndex((w) => w.includes(d)))
      expect(wave).toBe(Math.max(-1, ...depths) + 1)
    }
  }
}

test('names of tools are found in anything', async () => {
  for (const value of [null, 7, {}, { tasks: [null, { tool: 7 }] }]) {
    expect((await registeredTools(undefined as never, value))('x')).toBeUndefined()
  }
})
