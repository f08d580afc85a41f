import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Opened, open } from '@story-portal/shared/testing'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution')
})

const stored = async () =>
  JSON.stringify(
    await tools.db.tx({ kind: 'tenant', tenant_id: tools.tenant, subject: 'test' }, async (tx) => [
      (await sql`select * from core.secrets`.execute(tx)).rows,
      (await sql`select * from core.events`.execute(tx)).rows,
      (await sql`select * from core.idempotency_keys`.execute(tx)).rows,
    ]),
  )

test('a value is stored sealed, with no trace of it anywhere, and the later one counts', async () => {
  const { secret } = await tools.call('set_secret', { name: 'a', value: 'first-value', idempotency_key: 'k' })
  expect(secret).toMatchObject({ name: 'a', hosts: [] })
  await tools.call('set_secret', { name: 'a', value: 'second-value', hosts: ['api.example.com', '*.example.org'] })
  expect((await tools.call('list_secrets')).items).toMatchObject([
    { name: 'a', hosts: ['api.example.com', '*.example.org'] },
  ])
  const everything = await stored()
  expect(everything).toContain('secret.set')
  expect(everything).not.toMatch(/(first|second)-value/)
})

test('the key is a file for this user only, and without it no value comes back', async () => {
  const file = path.join(tools.host.config.home, 'secret-key')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(Buffer.from(readFileSync(file, 'utf8'), 'base64')).toHaveLength(32)
  // As the next process finds it.
  writeFileSync(file, Buffer.alloc(32, 1).toString('base64'))
  const later = await open('tool-execution', { caller: { tenant_id: tools.tenant }, config: { ...tools.host.config } })
  const code = "return await http.fetch('https://api.example.com/', { headers: { a: secrets.a } })"
  const permissions = { http: ['api.example.com'], secrets: ['a'] }
  expect(await later.callError('run_code', { code, permissions })).toMatchObject({ number: 'E3052' })
})

test.each([
  [{ name: '1a', value: 'x' }, 'name'],
  [{ name: 'a', value: '' }, 'value'],
  [{ name: 'a', value: 'x', hosts: ['https://a.b'] }, 'hosts[0]'],
])('bad input names its place: %#', async (args, where) => {
  expect(await tools.callError('set_secret', args)).toMatchObject({ details: { faults: [{ path: where }] } })
})

test('only the owner or an administrator sets one, and never code', async () => {
  const args = { name: 'a', value: 'x' }
  const member = await open('tool-execution', { caller: { roles: ['member'] } })
  expect(await member.callError('set_secret', args)).toMatchObject({ code: 'DENIED' })
  const code = await open('tool-execution', { caller: { depth: 1 } })
  expect(await code.callError('set_secret', args)).toMatchObject({ number: 'E3053' })
})
