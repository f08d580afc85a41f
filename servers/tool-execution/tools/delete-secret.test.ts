import { open } from '@story-portal/shared/testing'
import { sql } from 'kysely'
import { expect, test } from 'vitest'

test('a deleted secret is gone, also its sealed form', async () => {
  const tools = await open('tool-execution')
  await tools.call('set_secret', { name: 'a', value: 'x' })
  expect(await tools.call('delete_secret', { name: 'a' })).toEqual({ deleted: 'a' })
  expect((await tools.call('list_secrets')).items).toEqual([])
  const scope = { kind: 'tenant', tenant_id: tools.tenant, subject: 'test' } as const
  const { rows } = await tools.db.tx(scope, (tx) => sql`select 1 from core.secrets`.execute(tx))
  expect(rows).toEqual([])
  expect(await tools.callError('delete_secret', { name: 'a' })).toMatchObject({ code: 'NOT_FOUND' })
  const code = await open('tool-execution', { caller: { depth: 1 } })
  expect(await code.callError('delete_secret', { name: 'a' })).toMatchObject({ number: 'E3053' })
})
