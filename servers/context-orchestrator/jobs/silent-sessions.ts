import { defineJob } from '@story-portal/shared/mcp'
import { startSweep } from '../sweep-sessions.ts'

/** Finds the sessions whose assistant is gone. */
export default defineJob({
  name: 'silent-sessions',
  start: async (host) => startSweep(host),
})
