import { callsForRun } from '@story-portal/shared/auth'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { SecretName } from '../schema.ts'
import { deleteSecret } from '../secrets/secrets.ts'

export default defineTool({
  name: 'delete_secret',
  description: 'Forgets a credential for good. To replace its value, use set_secret.',
  effect: 'delete',
  roles: ['owner', 'admin'],
  input: { name: SecretName.describe('Of the secret') },
  output: { deleted: z.string() },
  async run({ name }, ctx) {
    if (callsForRun(ctx.caller)) throw faults.secretsFromCode()
    await deleteSecret(ctx.tx, name)
    return { deleted: name }
  },
})
