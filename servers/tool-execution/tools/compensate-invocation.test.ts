import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { with: ['data'], start: true })
  const event = (type: string, data: string) =>
    `await tools.data.append_event({ stream: 'bookings', type: 'booking.${type}', data: ${data} })`
  await tools.call('register_tool', {
    ...{ name: 'book', version: '1.0.0', description: 'Books a seat.', input_schema: {} },
    permissions: { tools: ['data.append_event'] },
    source: {
      type: 'javascript',
      code: `${event('made', '{ seat: input.seat }')}; return { number: 'B' + input.seat }`,
      compensate: `${event('undone', '{ seat: input.arguments.seat, number: input.output.number }')}; return 'undone'`,
    },
  })
  const source = { type: 'javascript', code: 'return 1' }
  await tools.call('register_tool', { name: 'look', version: '1.0.0', description: 'Looks.', input_schema: {}, source })
})

const invoke = async (tool: string, args: object = {}) =>
  (await tools.call('invoke_tool', { tool, arguments: args })).invocation
const undone = async () =>
  (await tools.callOn('data', 'list_events', { stream: 'bookings', type: 'booking.undone' })).items

test('what a tool has done is undone once, with what it was given and what it answered, whoever asks how often', async () => {
  const { id } = await invoke('book', { seat: 7 })
  const undo = () => tools.call('compensate_invocation', { invocation_id: id })
  const answers = await Promise.all([undo(), undo(), undo()])
  for (const { invocation } of [...answers, await undo()])
    expect(invocation).toMatchObject({
      kind: 'compensation',
      status: 'succeeded',
      output: 'undone',
      parent_invocation_id: id,
    })
  expect((await undone()).map(({ data }: { data: unknown }) => data)).toEqual([{ seat: 7, number: 'B7' }])
  const { invocation } = await tools.call('compensate_invocation', {
    invocation_id: (await invoke('book', { seat: 8 })).id,
    mode: 'background',
  })
  const ended = async () => (await tools.call('get_invocation', { invocation_id: invocation.id })).invocation.status
  await expect.poll(ended, { timeout: 10_000 }).toBe('succeeded')
  expect(await undone()).toHaveLength(2)
})

test('what can not be undone says why', async () => {
  const refused = (invocation_id: string) => tools.callError('compensate_invocation', { invocation_id })
  expect(await refused((await invoke('look')).id)).toMatchObject({ number: 'E3056' })
  const { invocation_id } = await tools.call('run_code', { code: 'return 1' })
  expect(await refused(invocation_id)).toMatchObject({ number: 'E3057' })
  expect(await refused('inv_x')).toMatchObject({ code: 'NOT_FOUND' })
})
