import { setConfiguration } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { ConfigurationKey, ConfigurationResult, ExpectedVersion, Fields, Reason } from '../schema.ts'

export default defineTool({
  name: 'set_configuration',
  description:
    'Sets a configuration, checked against its JSON Schema, as a new version that takes effect at once without a restart. To see the present one, call get_configuration.',
  effect: 'update',
  input: {
    key: ConfigurationKey,
    value: z.unknown().describe('Any JSON but null'),
    schema: Fields.optional().describe('JSON Schema for this and later values; absent: the stored one stays'),
    description: z.string().min(1).max(2000).optional().describe('What it is for'),
    expected_version: ExpectedVersion.optional().describe('Refuses when at another version; 0: must be new'),
    reason: Reason.optional(),
  },
  output: { configuration: ConfigurationResult },
  async run(setting, { tx }) {
    return { configuration: await setConfiguration(tx, { ...setting, value: setting.value }) }
  },
})
