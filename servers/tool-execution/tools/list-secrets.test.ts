import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('names and hosts are listed in order, and those of other tenants are not', async () => {
  const [tools, others] = [await open('tool-execution'), await open('tool-execution')]
  await others.call('set_secret', { name: 'theirs', value: 'x' })
  await tools.call('set_secret', { name: 'b', value: 'x', hosts: ['a.example.com'] })
  await tools.call('set_secret', { name: 'a', value: 'y' })
  const { items } = await tools.call('list_secrets')
  expect(items).toMatchObject([
    { name: 'a', hosts: [], updated_by: tools.caller.subject },
    { name: 'b', hosts: ['a.example.com'] },
  ])
  expect(Object.keys(items[0]).sort()).toEqual(['hosts', 'name', 'updated_at', 'updated_by'])
})
