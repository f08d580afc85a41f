import { defineKind, json, optional, ref, states, text, time } from '../define-kind.ts'

const session = defineKind({
  name: 'session',
  table: 'core.sessions',
  prefix: 'ses',
  fields: {
    project: optional(text(500)),
    agent_id: optional(ref('agent')),
    client: optional(json()),
    status: states(['active'], {
      active: ['ended', 'crashed', 'compacted'],
      ended: ['recovered'],
      crashed: ['recovered'],
      compacted: ['recovered'],
      recovered: [],
    }),
    last_heartbeat_at: optional(time()),
    ended_at: optional(time()),
    summary: optional(json()),
  },
  search: ['project'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    session: typeof session
  }
}

export default session
