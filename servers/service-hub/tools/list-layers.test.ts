import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'
import manifest from '../tools.json' with { type: 'json' }

test('every hosted server is listed with its health and version', async () => {
  const { call } = await open('service-hub', { with: ['planning'], start: true })
  const { items } = await call('list_layers')
  const { version, tools } = manifest
  expect(items).toEqual([
    expect.objectContaining({ server: 'planning', layer: 'L05', state: 'ready', tools: expect.any(Number) }),
    expect.objectContaining({ server: 'service-hub', layer: 'L12', state: 'ready', version, tools: tools.length }),
  ])
})

test('a server that is still starting says why', async () => {
  const { call } = await open('service-hub')
  const { items } = await call('list_layers')
  expect(items[0]).toMatchObject({ server: 'service-hub', state: 'not_ready', reasons: ['starting'] })
})
