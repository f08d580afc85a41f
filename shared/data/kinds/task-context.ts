import { defineKind, int, managed, ref, states, text } from '../define-kind.ts'

const taskContext = defineKind({
  name: 'task_context',
  table: 'core.task_contexts',
  prefix: 'tcx',
  managed: true,
  managedBy: 'Use create_task_context and save_context_snapshot on context-orchestrator.',
  fields: {
    project_id: managed(ref('project')),
    title: managed(text(300)),
    head: managed(int()),
    status: managed(
      states(['active'], {
        active: ['completed', 'archived'],
        completed: ['active', 'archived'],
        archived: ['active'],
      }),
    ),
  },
  // Tasks had no state at first.
  upcasters: [(record) => ({ ...record, status: 'active' })],
  search: ['title'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    task_context: typeof taskContext
  }
}

export default taskContext
