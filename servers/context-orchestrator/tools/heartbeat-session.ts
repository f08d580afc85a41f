import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { SessionId } from '../schema.ts'
import { aliveSession, beat } from '../sessions.ts'

export default defineTool({
  name: 'heartbeat_session',
  description:
    'Says that a session still works; one that is silent for five minutes counts as crashed. A save with session_id says so too.',
  effect: 'update',
  input: { session_id: SessionId },
  output: { session_id: z.string(), last_heartbeat_at: z.string() },
  async run({ session_id }, { tx }) {
    const { id } = await aliveSession(tx, session_id)
    return { session_id: id, last_heartbeat_at: await beat(tx, id) }
  },
})
