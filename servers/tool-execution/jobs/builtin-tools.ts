import { defineJob } from '@story-portal/shared/mcp'
import { registerBuiltins } from '../builtins/register.ts'

/** Registers the built-in tools before the first call is served. Without them the server works all the same. */
export default defineJob({
  name: 'builtin-tools',
  async start(host) {
    await registerBuiltins(host).catch((err: unknown) => {
      host.log.error({ err }, 'the built-in tools could not be registered; the next start tries again')
    })
    return { stop: async () => {} }
  },
})
