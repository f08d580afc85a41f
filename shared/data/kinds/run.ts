import {
  anyJson,
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

const run = defineKind({
  name: 'run',
  table: 'core.runs',
  prefix: 'run',
  managed: true,
  managedBy: 'Runs change by run_plan on planning, run_agent and cancel_run on runtime.',
  fields: {
    kind: managed(oneOf('plan', 'agent', 'script')),
    plan_id: managed(optional(ref('plan'))),
    agent_id: managed(optional(ref('agent'))),
    goal_id: managed(optional(ref('goal'))),
    parent_run_id: managed(optional(ref('run'))),
    status: managed(
      states(['queued', 'running'], {
        queued: ['running', 'cancelled'],
        running: ['waiting', 'succeeded', 'failed', 'cancelled'],
        waiting: ['running', 'cancelled'],
        succeeded: [],
        failed: [],
        cancelled: [],
      }),
    ),
    input: managed(optional(anyJson())),
    output: managed(optional(anyJson())),
    error: managed(optional(json())),
    fence: managed(fallback(int(), 0)),
    lease_owner: managed(optional(text(200))),
    lease_token: managed(optional(text(200))),
    lease_expires_at: managed(optional(time())),
    started_at: managed(optional(time())),
    finished_at: managed(optional(time())),
    usage: managed(optional(json())),
  },
  search: [],
})

declare module '../define-kind.ts' {
  interface Kinds {
    run: typeof run
  }
}

export default run
