import { type Opened, open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const append = (opened: Opened, stream: string, type: string) =>
  opened.call('append_event', { stream, type, data: null })
const types = (page: { items: { type: string }[] }) => page.items.map((item) => item.type)

test('by stream, type pattern, correlation and position, page by page', async () => {
  const opened = await open('data')
  const { call } = opened
  for (const [stream, type] of [
    ['a', 'x.one'],
    ['b', 'x.two'],
    ['a', 'y.one'],
    ['a', 'x.three'],
  ] as const) {
    await append(opened, stream, type)
  }
  expect(types(await call('list_events'))).toEqual(['x.one', 'x.two', 'y.one', 'x.three'])
  expect(types(await call('list_events', { stream: 'a' }))).toEqual(['x.one', 'y.one', 'x.three'])
  expect(types(await call('list_events', { type: 'x.*' }))).toEqual(['x.one', 'x.two', 'x.three'])
  expect(types(await call('list_events', { type: 'y.one' }))).toEqual(['y.one'])
  const { items } = await call('list_events', { limit: 2 })
  expect(types(await call('list_events', { after_position: items[1].position }))).toEqual(['y.one', 'x.three'])
  const { correlationid } = items[0]
  expect(types(await call('list_events', { correlation_id: correlationid }))).toEqual(['x.one'])
  const first = await call('list_events', { type: 'x.*', limit: 2 })
  const second = await call('list_events', { type: 'x.*', limit: 2, cursor: first.next_cursor })
  expect([types(second), second.next_cursor]).toEqual([['x.three'], null])
})

test('following by position misses and repeats nothing while others write', async () => {
  const opened = await open('data')
  const seen: { position: string; stream: string; version: number }[] = []
  let writing = true
  const follow = async () => {
    for (let quiet = 0; quiet < 2; ) {
      const after = seen.at(-1)?.position
      const page = await opened.call('list_events', { limit: 5, ...(after ? { after_position: after } : {}) })
      seen.push(...page.items)
      quiet = page.items.length === 0 && !writing ? quiet + 1 : 0
    }
  }
  const following = follow()
  await Promise.all(Array.from({ length: 60 }, (_, i) => append(opened, `s${i % 3}`, 'note.added')))
  writing = false
  await following
  expect(seen).toHaveLength(60)
  expect(new Set(seen.map((event) => event.position)).size).toBe(60)
  const byStream = Map.groupBy(seen, (event) => event.stream)
  for (const events of byStream.values())
    expect(events.map((event) => event.version)).toEqual(events.map((_, i) => i + 1))
}, 120_000)

test.each([
  ['a position', { after_position: 'last' }, 'after_position'],
  ['a type of a record', { type: 'goal.exploded' }, 'type'],
  ['a type pattern', { type: 'Goal %' }, 'type'],
  ['a cursor', { cursor: 'abc.def' }, 'cursor'],
  ['NUL in a stream', { stream: 'a\0' }, 'stream'],
  ['an argument', { streem: 'a' }, 'streem'],
])('unknown: %s', async (_name, args, path) => {
  const { callError } = await open('data')
  const error = await callError('list_events', args)
  expect(error.code).toBe('INVALID_INPUT')
  expect(error.details?.faults?.[0]?.path).toBe(path)
})

test('the log of another tenant is empty', async () => {
  await append(await open('data'), 'a', 'x.one')
  expect((await (await open('data')).call('list_events', { stream: 'a' })).items).toEqual([])
})
