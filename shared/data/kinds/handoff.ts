import { anyJson, defineKind, int, managed, optional, ref, states, text } from '../define-kind.ts'

const handoff = defineKind({
  name: 'handoff',
  table: 'core.handoffs',
  prefix: 'hof',
  managed: true,
  managedBy: 'Use track_handoff on context-orchestrator.',
  fields: {
    project_id: managed(ref('project')),
    task_context_id: managed(ref('task_context')),
    // The task as it was handed over.
    number: managed(int(0)),
    from_role: managed(optional(text(100))),
    to_role: managed(optional(text(100))),
    recipient: managed(optional(text(200))),
    note: managed(text(4000)),
    artifacts: managed(anyJson()),
    // Why it was handed over although the gate was closed, and what was open.
    forced: managed(optional(anyJson())),
    // The session that gave it, else the subject; who decided, in the same way.
    offered_by: managed(optional(text(200))),
    decided_by: managed(optional(text(200))),
    reason: managed(optional(text(2000))),
    status: managed(
      states(['pending'], {
        pending: ['accepted', 'rejected', 'withdrawn'],
        accepted: [],
        rejected: [],
        withdrawn: [],
      }),
    ),
  },
  // At first only created_by said who gave it.
  upcasters: [(record) => ({ ...record, offered_by: null })],
  search: ['note'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    handoff: typeof handoff
  }
}

export default handoff
