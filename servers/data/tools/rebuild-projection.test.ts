import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('figures are computed again from the log', async () => {
  const { call } = await open('data')
  await call('create_record', { kind: 'goal', data: { title: 'x' } })
  await call('append_event', { stream: 's', type: 'note.added', data: 1 })
  const rebuilt = await call('rebuild_projection', { projection: 'activity' })
  expect(rebuilt).toMatchObject({ projection: 'activity', events: 2, position: expect.stringMatching(/^\d{20}$/) })
  const { activity } = await call('get_data_health')
  expect(activity.map(({ type, events }: { type: string; events: number }) => [type, events])).toEqual([
    ['note.added', 1],
    ['goal.created', 1],
  ])
})

test('an unknown projection is refused with those that exist', async () => {
  const { callError } = await open('data')
  const error = await callError('rebuild_projection', { projection: 'nope' })
  expect(error).toMatchObject({ code: 'NOT_FOUND', number: 'E0303', hint: 'Known projections: activity.' })
})

test('a reader may not', async () => {
  const { callError } = await open('data', { caller: { roles: ['reader'] } })
  expect(await callError('rebuild_projection', { projection: 'activity' })).toMatchObject({ code: 'DENIED' })
})
