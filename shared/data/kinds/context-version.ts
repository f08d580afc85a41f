import { z } from 'zod'
import { defineKind, int, json, managed, optional, ref, text } from '../define-kind.ts'

const Seen = z.union([
  z.strictObject({ bytes: z.int().min(0), sha256: z.string().max(64).optional() }),
  z.strictObject({ problem: z.enum(['outside', 'folder', 'not_a_file', 'unreadable']) }),
  z.null(),
])

const World = z.strictObject({
  commit: z.string().max(64).nullable(),
  branch: z.string().max(1000).nullable(),
  files: z.record(z.string().max(2000), Seen),
})

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
    // Commit, branch and key files as the save saw them in the project's folder.
    world: managed(optional(json(World))),
  },
  // At first there were no rollbacks, and nobody looked around.
  upcasters: [(record) => ({ ...record, restored_from: null }), (record) => ({ ...record, world: null })],
  unique: [['task_context_id', 'number']],
  search: ['summary'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    context_version: typeof contextVersion
  }
}

export default contextVersion
