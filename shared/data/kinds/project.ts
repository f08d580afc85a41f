import { defineKind, managed, optional, ref, text } from '../define-kind.ts'

const project = defineKind({
  name: 'project',
  table: 'core.projects',
  prefix: 'prj',
  managed: true,
  managedBy: 'Projects begin with create_project or save_context_snapshot on context-orchestrator.',
  fields: {
    name: managed(text(500)),
    root: managed(optional(text(4096))),
    current_task_id: managed(optional(ref('task_context'))),
  },
  // At first the task saved last was the current one.
  upcasters: [(record) => ({ ...record, current_task_id: null })],
  unique: [['name']],
  search: ['name'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    project: typeof project
  }
}

export default project
