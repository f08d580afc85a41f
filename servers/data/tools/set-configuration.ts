import { setConfiguration } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { ConfigurationKey, ConfigurationResult, ExpectedVersion, Fields, Reason } from '../schema.ts'

export default defineTool({
  name: 'set_configuration',
  description:
    'Sets a configuration, checked against its schema, without a restart. For the present one, call get_configuration.',
  effect: 'update',
  input: {
    key: ConfigurationKey,
    value: z.unknown().describe('Any JSON'),
    schema: Fields.optional().describe('JSON Schema of value'),
    description: z.string().max(2000).optional().describe('What it is for'),
    expected_version: ExpectedVersion.optional(),
    reason: Reason.optional(),
  },
  output: { configuration: ConfigurationResult },
  async run(setting, { tx }) {
    return { configuration: await setConfiguration(tx, { ...setting, value: setting.value }) }
  },
})
