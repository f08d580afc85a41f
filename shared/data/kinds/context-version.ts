import { defineKind, int, managed, optional, ref, text } from '../define-kind.ts'

const contextVersion = defineKind({
  name: 'context_version',
  table: 'core.context_versions',
  prefix: 'cvn',
  managed: true,
  managedBy: 'Every save_context_snapshot and rollback_to on context-orchestrator makes one; none is changed.',
  fields: {
    task_context_id: managed(ref('task_context')),
    number: managed(int(1)),
    // The canonical JSON itself: jsonb would keep the values, not the bytes.
    body: managed(text(1_000_000)),
    sha256: managed(text(64)),
    summary: managed(optional(text(2000))),
    restored_from: managed(optional(int(1))),
  },
  // At first there were no rollbacks.
  upcasters: [(record) => ({ ...record, restored_from: null })],
  unique: [['task_context_id', 'number']],
  search: ['summary'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    context_version: typeof contextVersion
  }
}

export default contextVersion
