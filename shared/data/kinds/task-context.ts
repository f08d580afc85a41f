import { defineKind, int, managed, ref, text } from '../define-kind.ts'

const taskContext = defineKind({
  name: 'task_context',
  table: 'core.task_contexts',
  prefix: 'tcx',
  managed: true,
  managedBy: 'Use save_context_snapshot on context-orchestrator.',
  fields: { project_id: managed(ref('project')), title: managed(text(300)), head: managed(int()) },
  search: ['title'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    task_context: typeof taskContext
  }
}

export default taskContext
