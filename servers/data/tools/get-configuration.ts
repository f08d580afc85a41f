import { findConfiguration } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { dataErrors } from '../errors.ts'
import { ConfigurationKey, Fields } from '../schema.ts'

export default defineTool({
  name: 'get_configuration',
  description: 'Returns one configuration. To find keys, call list_configurations.',
  effect: 'read',
  input: { key: ConfigurationKey },
  output: { configuration: Fields },
  async run({ key }, { tx }) {
    const configuration = await findConfiguration(tx, key)
    if (!configuration) throw dataErrors.noConfiguration({ key })
    return { configuration }
  },
})
