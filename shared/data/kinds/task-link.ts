import { defineKind, managed, oneOf, ref, text } from '../define-kind.ts'

const taskLink = defineKind({
  name: 'task_link',
  table: 'core.task_links',
  prefix: 'tln',
  managed: true,
  managedBy: 'Use link_tasks on context-orchestrator.',
  fields: {
    project_id: managed(ref('project')),
    task_context_id: managed(ref('task_context')),
    // `a blocks b` is kept as `b depends_on a`.
    relation: managed(oneOf('depends_on', 'related_to', 'parent')),
    // A task context, or a task or goal of planning.
    target_id: managed(text(64)),
  },
  search: [],
})

declare module '../define-kind.ts' {
  interface Kinds {
    task_link: typeof taskLink
  }
}

export default taskLink
