import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { endLeases } from '../leases.ts'
import { Paths, SessionId, TaskId } from '../schema.ts'
import { lockSession } from '../sessions.ts'

export default defineTool({
  name: 'release_lease',
  description:
    'Ends leases of a session: the named ones, or all. They also end with their time and with the session. To take one, call acquire_lease.',
  effect: 'update',
  input: { session_id: SessionId, task_id: TaskId.optional().describe('tcx_...'), paths: Paths },
  output: { released: z.array(z.string()) },
  async run({ session_id, task_id, paths }, { tx }) {
    await lockSession(tx, session_id)
    const things = [...(task_id === undefined ? [] : [task_id]), ...paths]
    return { released: await endLeases(tx, session_id, things.length === 0 ? undefined : things) }
  },
})
