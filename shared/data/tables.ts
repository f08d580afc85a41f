import type { Kind, KindName, Kinds, RecordOf } from './define-kind.ts'

/** Rows of the record tables by table name, for typed kysely queries. */
export type RecordTables = {
  [K in KindName as Kinds[K] extends Kind<infer _, infer T> ? T : never]: RecordOf<K>
}

interface TaskDependencyRow {
  tenant_id: string
  plan_id: string
  task_id: string
  depends_on_id: string
}

declare module '../db/types.ts' {
  interface Tables extends RecordTables {
    'core.task_dependencies': TaskDependencyRow
  }
}
