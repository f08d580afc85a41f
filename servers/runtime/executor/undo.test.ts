import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let planning: Opened
beforeAll(async () => {
  planning = await open('planning', { start: true, with: ['runtime', 'tool-execution', 'data'] })
  const event = (type: string, data: string) =>
    `await tools.data.append_event({ stream: 'seats', type: 'seat.${type}', data: ${data} })`
  const book = (name: string, compensate: string | undefined) =>
    planning.callOn('tool-execution', 'register_tool', {
      ...{ name, version: '1.0.0', description: 'Books a seat.', input_schema: {} },
      permissions: { tools: ['data.append_event'] },
      source: {
        type: 'javascript',
        code: `${event('booked', '{ seat: input.seat }')}; return { number: 'B' + input.seat }`,
        ...(compensate === undefined ? {} : { compensate }),
      },
    })
  await book('book', `${event('freed', '{ seat: input.arguments.seat, number: input.output.number }')}; return 'freed'`)
  await book('book_badly', "throw new Error('the shop is closed')")
  await book('book_for_good', undefined)
})

const fails = { key: 'fails', kind: 'code', code: "throw new Error('no')" }
async function run(tasks: object[]) {
  const { goal } = await planning.call('create_goal', { title: 'Travel' })
  const { plan } = await planning.call('create_plan', { goal_id: goal.id, tasks })
  const ended = await planning.call('run_plan', { plan_id: plan.id })
  const { tasks: rows } = await planning.call('get_plan', { plan_id: plan.id })
  return { ended, task: (key: string) => rows.find((row: { key: string }) => row.key === key) }
}
const freed = async () =>
  (await planning.callOn('data', 'list_events', { stream: 'seats', type: 'seat.freed' })).items.map(
    ({ data }: { data: object }) => data,
  )
const seat = (key: string, n: number, more: object = {}) => ({
  ...{ key, kind: 'tool', tool: 'book', input: { seat: n }, compensate: 'tool' },
  ...more,
})

test('what registered tools did for a failed plan is undone by their own code, the last first', async () => {
  const { ended, task } = await run([
    seat('one', 1),
    seat('two', 2, { depends_on: ['one'] }),
    { ...fails, depends_on: ['two'] },
  ])
  expect(ended.plan.status).toBe('failed')
  await expect.poll(freed, { timeout: 15_000 }).toEqual([
    { seat: 2, number: 'B2' },
    { seat: 1, number: 'B1' },
  ])
  expect(task('one')).toMatchObject({ status: 'completed' })
})

test('undone is the call of the task, not one that the code of its tool has made', async () => {
  const freed =
    "await tools.data.append_event({ stream: 'help', type: 'seat.freed', data: { number: input.output.number } })"
  const helped = "const { invocation } = await tools.tool_execution.invoke_tool({ tool: 'book', arguments: input })"
  await planning.callOn('tool-execution', 'register_tool', {
    ...{ name: 'book_with_help', version: '1.0.0', description: 'Books a seat.', input_schema: {} },
    permissions: { tools: ['data.append_event', 'tool-execution.invoke_tool'] },
    source: {
      type: 'javascript',
      code: `${helped}; return { number: 'H' + invocation.output.number }`,
      compensate: freed,
    },
  })
  await run([seat('one', 9, { tool: 'book_with_help' }), { ...fails, depends_on: ['one'] }])
  const events = async () => (await planning.callOn('data', 'list_events', { stream: 'help' })).items
  await expect.poll(async () => (await events()).length, { timeout: 15_000 }).toBe(1)
  expect((await events())[0].data).toEqual({ number: 'HB9' })
})

test('an undo that fails is a failed task, for a person to see', async () => {
  const { ended } = await run([seat('one', 3, { tool: 'book_badly' }), { ...fails, depends_on: ['one'] }])
  expect(ended.plan.status).toBe('failed')
  const { tasks } = await planning.call('get_plan', { plan_id: ended.plan.id })
  const undo = tasks.find(({ key }: { key: string }) => key === 'one~undo')
  expect(undo).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('the shop is closed') } })
})

test.each([
  ['a tool that has no such code', { key: 'a', kind: 'tool', tool: 'book_for_good', compensate: 'tool' }],
  [
    'a tool of the platform',
    { key: 'a', kind: 'tool', tool: 'planning.create_goal', input: { title: 'x' }, compensate: 'tool' },
  ],
  ['code', { key: 'a', kind: 'code', code: 'return 1', compensate: 'tool' }],
  ['another word', { key: 'a', kind: 'tool', tool: 'book', compensate: 'itself' }],
])('%s can not be undone so, and the plan is refused', async (_what, task) => {
  const { goal } = await planning.call('create_goal', { title: 'x' })
  const error = await planning.callError('create_plan', { goal_id: goal.id, tasks: [task] })
  expect(error.details?.faults?.map(({ path }) => path)).toEqual(['tasks[0].compensate'])
})

test('a tool says whether a call of it can be undone', async () => {
  const said = async (tool: string) =>
    (await planning.callOn('tool-execution', 'get_registered_tool', { tool })).tool.reversibility
  expect([await said('book'), await said('book_for_good')]).toEqual(['compensable', 'irreversible'])
})
