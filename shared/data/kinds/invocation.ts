import {
  anyJson,
  bool,
  defineKind,
  fallback,
  int,
  json,
  managed,
  oneOf,
  optional,
  ref,
  states,
  text,
  time,
} from '../define-kind.ts'

const invocation = defineKind({
  name: 'invocation',
  table: 'core.invocations',
  prefix: 'inv',
  managed: true,
  managedBy: 'Invocations change by invoke_tool, run_code and cancel_invocation on tool-execution.',
  fields: {
    call_key: managed(text(1000)),
    kind: managed(oneOf('tool', 'code', 'script', 'server_tool', 'capability', 'compensation', 'approval')),
    tool: managed(optional(text(300))),
    tool_id: managed(optional(ref('tool'))),
    tool_version: managed(optional(text(100))),
    run_id: managed(optional(text(200))),
    plan_id: managed(optional(text(200))),
    task_id: managed(optional(text(200))),
    parent_invocation_id: managed(optional(ref('invocation'))),
    attempt: managed(fallback(int(), 1)),
    arguments: managed(optional(anyJson())),
    arguments_hash: managed(text(128)),
    effect: managed(oneOf('pure', 'journaled', 'outside')),
    status: managed(
      states(['pending', 'running', 'pending_approval'], {
        pending: ['running', 'pending_approval', 'cancelled'],
        pending_approval: ['running', 'denied', 'cancelled'],
        running: ['succeeded', 'failed', 'timed_out', 'cancelled', 'unknown', 'pending'],
        unknown: ['succeeded', 'failed'],
        succeeded: [],
        failed: [],
        timed_out: [],
        cancelled: [],
        denied: [],
      }),
    ),
    output: managed(optional(anyJson())),
    error: managed(optional(json())),
    logs: managed(optional(anyJson())),
    usage: managed(optional(json())),
    fence: managed(fallback(int(), 0)),
    lease_owner: managed(optional(text(200))),
    lease_token: managed(optional(text(200))),
    lease_expires_at: managed(optional(time())),
    deadline_at: managed(optional(time())),
    started_at: managed(optional(time())),
    finished_at: managed(optional(time())),
    subject: managed(optional(text(300))),
    caller: managed(optional(json())),
    /** At most `concurrency_limit` calls with the same key run at a time. */
    concurrency_key: managed(optional(text(200))),
    concurrency_limit: managed(optional(int())),
    /** Nobody waited for it: when it fails, it is a dead letter until it is closed. */
    background: managed(fallback(bool(), false)),
    retry_of: managed(optional(ref('invocation'))),
    /** When it was retried, or given up. */
    closed_at: managed(optional(time())),
    /** The approval of a call of its code; it goes on when that is decided. */
    waits_for: managed(optional(ref('approval'))),
  },
  unique: [['call_key']],
  search: [],
})

declare module '../define-kind.ts' {
  interface Kinds {
    invocation: typeof invocation
  }
}

export default invocation
