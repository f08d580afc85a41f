import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('every file of the folder is a workflow that can be looked up', async () => {
  const { call } = await open('service-hub')
  const { items } = await call('list_workflows')
  expect(items.map(({ name }: { name: string }) => name)).toEqual([
    'data_pipeline.etl',
    'deployment.canary',
    'deployment.standard',
    'incident.response',
    'monitoring.health_check',
    'research.question',
    'review.change',
    'testing.integration',
    'testing.unit',
  ])
  for (const { name } of items) expect((await call('get_workflow', { name })).workflow.parameters.type).toBe('object')
})
