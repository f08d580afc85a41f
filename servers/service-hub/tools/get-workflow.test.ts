import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('the parameters are JSON Schema, with what is taken when they are left out', async () => {
  const { call } = await open('service-hub')
  const { workflow } = await call('get_workflow', { name: 'testing.unit' })
  expect(workflow).toMatchObject({
    name: 'testing.unit',
    parameters: { required: ['project'], properties: { command: { type: 'string', default: 'npm test' } } },
  })
})

test('an unknown name says where the names are', async () => {
  const { callError } = await open('service-hub')
  expect(await callError('get_workflow', { name: 'testing.e2e' })).toMatchObject({
    number: 'E0004',
    hint: 'list_workflows names them.',
  })
})
