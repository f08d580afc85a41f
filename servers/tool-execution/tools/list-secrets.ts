import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { ShownSecret } from '../schema.ts'
import { listSecrets } from '../secrets/secrets.ts'

export default defineTool({
  name: 'list_secrets',
  description: 'Lists the names of the kept credentials and the hosts they may be sent to. To add one, use set_secret.',
  effect: 'read',
  input: {},
  output: { items: z.array(ShownSecret) },
  async run(_args, { tx }) {
    return { items: (await listSecrets(tx)).map((secret) => ({ ...secret })) }
  },
})
