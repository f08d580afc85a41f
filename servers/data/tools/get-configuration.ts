import { findConfiguration } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { dataErrors } from '../errors.ts'
import { ConfigurationKey, ConfigurationResult } from '../schema.ts'

export default defineTool({
  name: 'get_configuration',
  description:
    'Returns one configuration: value, version, and the schema its values must fit. To find keys, call list_configurations.',
  effect: 'read',
  input: { key: ConfigurationKey },
  output: { configuration: ConfigurationResult },
  async run({ key }, { tx }) {
    const configuration = await findConfiguration(tx, key)
    if (!configuration) throw dataErrors.noConfiguration({ key })
    return { configuration }
  },
})
