import { defineKind, int, managed, optional, ref, text } from '../define-kind.ts'

const contextCheckpoint = defineKind({
  name: 'context_checkpoint',
  table: 'core.context_checkpoints',
  prefix: 'ccp',
  managed: true,
  managedBy: 'Use create_checkpoint on context-orchestrator; none is changed.',
  fields: {
    task_context_id: managed(ref('task_context')),
    number: managed(int(1)),
    label: managed(text(200)),
    note: managed(optional(text(2000))),
  },
  search: ['label', 'note'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    context_checkpoint: typeof contextCheckpoint
  }
}

export default contextCheckpoint
