import { callsForRun } from '@story-portal/shared/auth'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { HostGrant, SecretName, ShownSecret } from '../schema.ts'
import { setSecret } from '../secrets/secrets.ts'

export default defineTool({
  name: 'set_secret',
  description:
    'Keeps a credential sealed, in the place of an older value. It is never shown again: code sends it in a header of http.fetch. list_secrets has the names.',
  effect: 'update',
  // No idempotency_key: even a hash of the arguments would say something about the value.
  transaction: false,
  idempotent: true,
  roles: ['owner', 'admin'],
  input: {
    name: SecretName.describe('By which it is used'),
    value: z.string().min(1).max(65_536).describe('Such as a token'),
    hosts: z.array(HostGrant).max(20).default([]).describe('Where code may send it'),
  },
  output: { secret: ShownSecret },
  async run(given, ctx) {
    if (callsForRun(ctx.caller)) throw faults.secretsFromCode()
    return { secret: { ...(await ctx.db.tx((tx) => setSecret(tx, ctx.config, given))) } }
  },
})
