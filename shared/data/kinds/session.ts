import { defineKind, json, managed, optional, ref, states, text, time } from '../define-kind.ts'

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
    project_id: managed(optional(ref('project'))),
    task_context_id: managed(optional(ref('task_context'))),
    /** What the client calls it. */
    client_session_id: managed(optional(text(200))),
    assistant: managed(optional(text(200))),
    recovered_by: managed(optional(ref('session'))),
    recovered_at: managed(optional(time())),
  },
  search: ['project'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    session: typeof session
  }
}

export default session
