import { anyJson, defineKind, managed, optional, ref, states, text, time } from '../define-kind.ts'

const approval = defineKind({
  name: 'approval',
  table: 'core.approvals',
  prefix: 'apr',
  managed: true,
  managedBy:
    'Approvals begin with invoke_tool on tool-execution or an approval task of a plan, and end with decide_approval on supervision.',
  fields: {
    invocation_id: managed(ref('invocation')),
    tool: managed(text(300)),
    tool_version: managed(optional(text(100))),
    reason: managed(optional(text(1000))),
    arguments: managed(optional(anyJson())),
    /** Subjects; nobody but these decides. */
    approvers: managed(optional(anyJson())),
    arguments_hash: managed(text(128)),
    approved_hash: managed(optional(text(128))),
    requested_by: managed(text(300)),
    status: managed(
      states(['pending'], {
        pending: ['approved', 'denied', 'expired', 'cancelled'],
        approved: [],
        denied: [],
        expired: [],
        cancelled: [],
      }),
    ),
    expires_at: managed(time()),
    decided_by: managed(optional(text(300))),
    decided_at: managed(optional(time())),
    note: managed(optional(text(2000))),
  },
  unique: [['invocation_id']],
  search: ['tool', 'reason', 'note'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    approval: typeof approval
  }
}

export default approval
