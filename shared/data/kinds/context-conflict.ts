import { anyJson, defineKind, json, managed, oneOf, optional, ref, states, text } from '../define-kind.ts'

const contextConflict = defineKind({
  name: 'context_conflict',
  table: 'core.context_conflicts',
  prefix: 'ccf',
  managed: true,
  managedBy: 'Use detect_conflicts and resolve_conflict on context-orchestrator.',
  fields: {
    project_id: managed(ref('project')),
    task_context_id: managed(ref('task_context')),
    kind: managed(oneOf('version_divergence', 'file_conflict', 'state_mismatch', 'lock_collision', 'mirror_edit')),
    // Says which conflict it is: found again, it is the same one.
    identity: managed(text(200)),
    explanation: managed(text(1000)),
    sides: managed(anyJson()),
    status: managed(states(['open'], { open: ['resolved', 'dismissed'], resolved: ['open'], dismissed: [] })),
    outcome: managed(optional(json())),
  },
  search: ['explanation'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    context_conflict: typeof contextConflict
  }
}

export default contextConflict
