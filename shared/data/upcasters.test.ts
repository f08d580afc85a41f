import { expect, test } from 'vitest'
import { currentSchemaVersion, type StoredEvent, upcast } from '../events/index.ts'
import { defineKind, text } from './define-kind.ts'
import { registerUpcasters } from './upcasters.ts'

// As version 1 of a kind wrote it, before it had a colour and before its name was called title.
const recorded: StoredEvent = {
  position: '00000000000000000001',
  tenant_id: 'local',
  stream: 'boat/boa_1',
  version: 1,
  id: 'evt_1',
  type: 'boat.created',
  schema_version: 1,
  source: 'story-portal/data',
  subject: 'boa_1',
  time: '2026-11-23T04:31:31.123Z',
  actor: 'user:local',
  correlation_id: null,
  causation_id: null,
  traceparent: null,
  data: { record: { id: 'boa_1', name: 'Ada' }, changes: { name: { from: null, to: 'Ada' } }, reason: 'new' },
}

test('an old after-image is filled with the fields the kind has now; what changed then stays as it was said', () => {
  registerUpcasters(
    defineKind({
      name: 'boat',
      table: 'core.boats',
      prefix: 'boa',
      fields: { title: text(), colour: text() },
      search: [],
      upcasters: [(record) => ({ ...record, colour: 'white' }), ({ name, ...record }) => ({ ...record, title: name })],
    }),
  )
  for (const verb of ['created', 'updated', 'deleted', 'restored']) expect(currentSchemaVersion(`boat.${verb}`)).toBe(3)
  expect(upcast(recorded)).toMatchObject({
    schema_version: 3,
    data: {
      record: { id: 'boa_1', title: 'Ada', colour: 'white' },
      changes: { name: { from: null, to: 'Ada' } },
      reason: 'new',
    },
  })
})

test('a kind can not have a column that every record has', () => {
  const twice = () => defineKind({ name: 'x', table: 'core.x', prefix: 'xxx', fields: { version: text() }, search: [] })
  expect(twice).toThrow('x.version is a column that every record has')
})
