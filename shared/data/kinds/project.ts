import { defineKind, managed, optional, text } from '../define-kind.ts'

const project = defineKind({
  name: 'project',
  table: 'core.projects',
  prefix: 'prj',
  managed: true,
  managedBy: 'Projects begin with save_context_snapshot on context-orchestrator.',
  fields: { name: managed(text(500)), root: managed(optional(text(4096))) },
  unique: [['name']],
  search: ['name'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    project: typeof project
  }
}

export default project
