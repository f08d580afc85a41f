import { expect, test } from 'vitest'
import type { StoredEvent } from './stored-event.ts'
import { currentSchemaVersion, defineUpcaster, upcast } from './upcast.ts'

// Recorded as version 1 wrote it: the lines below must read the same for ever.
const recorded: StoredEvent = {
  position: '00000000000000000007',
  tenant_id: 'local',
  stream: 'price/1',
  version: 1,
  id: 'evt_1',
  type: 'price.set',
  schema_version: 1,
  source: 'story-portal/test',
  subject: '1',
  time: '2026-11-23T04:31:31.123Z',
  actor: 'user:local',
  correlation_id: null,
  causation_id: null,
  traceparent: null,
  data: { amount: '12.50' },
}

test('an old event is lifted step by step to the newest version, data alone changes', () => {
  defineUpcaster('price.set', 1, (data) => ({ cents: Math.round(Number((data as { amount: string }).amount) * 100) }))
  defineUpcaster('price.set', 2, (data) => ({ ...(data as object), currency: 'EUR' }))
  expect(currentSchemaVersion('price.set')).toBe(3)
  expect(upcast(recorded)).toEqual({ ...recorded, schema_version: 3, data: { cents: 1250, currency: 'EUR' } })
  expect(upcast({ ...recorded, schema_version: 2, data: { cents: 1 } }).data).toEqual({ cents: 1, currency: 'EUR' })
  const newest = { ...recorded, schema_version: 3, data: { cents: 1 } }
  expect(upcast(newest)).toBe(newest)
})

test('a step declared twice is refused, a missing step too, and so is an event from the future', () => {
  defineUpcaster('rate.set', 1, (data) => data)
  expect(() => defineUpcaster('rate.set', 1, (data) => data)).toThrow('upcaster from version 1 already')
  expect(() => upcast({ ...recorded, type: 'rate.set', schema_version: 3 })).toThrow(
    expect.objectContaining({ number: 'E0305' }),
  )
  defineUpcaster('rate.set', 3, (data) => data)
  expect(() => upcast({ ...recorded, type: 'rate.set' })).toThrow('no upcaster of rate.set from version 2')
})

test('types without upcasters keep the version their writer gave them', () => {
  expect(upcast({ ...recorded, type: 'free.form', schema_version: 7 }).schema_version).toBe(7)
})
