import { defineKind, managed, optional, ref, states, text } from '../define-kind.ts'

const roleAssignment = defineKind({
  name: 'role_assignment',
  table: 'core.role_assignments',
  prefix: 'cra',
  managed: true,
  managedBy: 'Use switch_role on context-orchestrator.',
  fields: {
    project_id: managed(ref('project')),
    task_context_id: managed(ref('task_context')),
    role: managed(text(100)),
    // Whose role it is; without a session, that of whoever works on the task.
    session_id: managed(optional(ref('session'))),
    note: managed(optional(text(2000))),
    status: managed(states(['active'], { active: ['ended'], ended: [] })),
  },
  search: ['note'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    role_assignment: typeof roleAssignment
  }
}

export default roleAssignment
