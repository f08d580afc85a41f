import type { RecordOf } from '@story-portal/shared/data'
import { z } from 'zod'

export const Approval = z.looseObject({ id: z.string(), status: z.string(), invocation_id: z.string() })

export function shownApproval({ tenant_id: _t, deleted_at: _d, ...approval }: RecordOf<'approval'>) {
  return approval
}
