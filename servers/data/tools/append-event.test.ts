import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('an event comes back in its envelope', async () => {
  const { call, caller } = await open('data')
  const time = '2026-01-01T00:00:00.000Z'
  const args = { stream: 'build/42', type: 'build.finished', data: { ok: true }, time }
  const { event } = await call('append_event', args)
  expect(event).toMatchObject({
    specversion: '1.0',
    position: expect.stringMatching(/^\d{20}$/),
    stream: 'build/42',
    version: 1,
    type: 'build.finished',
    source: 'story-portal/data',
    subject: '42',
    actor: caller.subject,
    time,
    schemaversion: 1,
    data: { ok: true },
  })
  expect((await call('append_event', { stream: 'build/42', type: 'build.archived', data: null })).event.version).toBe(2)
})

test.each([
  ['a stream of a record', { stream: 'goal/gol_1' }, 'INVALID_INPUT', 'stream'],
  ['a stream that is none', { stream: 'no spaces' }, 'INVALID_INPUT', 'stream'],
  ['a type of the platform', { type: 'goal.created' }, 'INVALID_INPUT', 'type'],
  ['a type the platform does not have', { type: 'goal.exploded' }, 'INVALID_INPUT', 'type'],
  ['a type that is none', { type: 'Build Finished!' }, 'INVALID_INPUT', 'type'],
  ['another version', { expected_version: 3 }, 'CONFLICT', 'expected_version'],
  ['NUL in data', { data: { log: ['a\0'] } }, 'INVALID_INPUT', 'data.log[0]'],
  ['half a surrogate pair', { data: '\udc00' }, 'INVALID_INPUT', 'data'],
  ['a time that is none', { time: 'noon' }, 'INVALID_INPUT', 'time'],
])('%s is refused and nothing is written', async (_name, args, code, path) => {
  const { call, callError } = await open('data')
  const error = await callError('append_event', { stream: 'build/1', type: 'build.finished', data: 1, ...args })
  expect(error.code).toBe(code)
  expect(error.details?.faults?.[0]?.path).toBe(path)
  expect((await call('list_events')).items).toEqual([])
})

test('64 parallel writers of one stream: versions have no gap, every acknowledged event is there', async () => {
  const { call } = await open('data')
  const write = async (n: number) => (await call('append_event', { stream: 's', type: 'note.added', data: n })).event
  const events = await Promise.all(Array.from({ length: 64 }, (_, n) => write(n)))
  const { items } = await call('list_events', { stream: 's', limit: 200 })
  expect(items.map((item: { version: number }) => item.version)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
  for (const event of events) expect(items[event.version - 1]).toEqual(event)
}, 120_000)

test('a reader may not', async () => {
  const { callError } = await open('data', { caller: { roles: ['reader'] } })
  expect(await callError('append_event', { stream: 's', type: 'a.b', data: 1 })).toMatchObject({ code: 'DENIED' })
})
