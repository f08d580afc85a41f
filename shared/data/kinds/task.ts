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

const task = defineKind({
  name: 'task',
  table: 'core.tasks',
  prefix: 'tsk',
  managed: true,
  managedBy: 'Tasks change by run_plan, claim_task, complete_task, fail_task and cancel_plan on planning.',
  fields: {
    plan_id: managed(ref('plan')),
    goal_id: managed(optional(ref('goal'))),
    parent_task_id: managed(optional(ref('task'))),
    key: managed(text(200)),
    name: optional(text(500)),
    kind: managed(oneOf('tool', 'model', 'agent', 'code', 'assistant', 'approval')),
    status: managed(
      states(['pending', 'ready'], {
        pending: ['ready', 'skipped', 'cancelled'],
        ready: ['running', 'blocked', 'skipped', 'cancelled'],
        blocked: ['ready', 'cancelled'],
        running: ['completed', 'failed', 'cancelled', 'waiting', 'ready'],
        waiting: ['running', 'ready', 'failed', 'cancelled'],
        completed: [],
        failed: [],
        skipped: [],
        cancelled: [],
      }),
    ),
    spec: managed(json()),
    wave: managed(optional(int())),
    pending_dependencies: managed(fallback(int(), 0)),
    input: managed(optional(anyJson())),
    output: managed(optional(anyJson())),
    error: managed(optional(json())),
    attempts: managed(fallback(int(), 0)),
    max_attempts: managed(fallback(int(1), 1)),
    fence: managed(fallback(int(), 0)),
    lease_token: managed(optional(text(200))),
    lease_owner: managed(optional(text(200))),
    lease_expires_at: managed(optional(time())),
    ready_at: managed(optional(time())),
    retry_at: managed(optional(time())),
    deadline_at: managed(optional(time())),
    started_at: managed(optional(time())),
    finished_at: managed(optional(time())),
  },
  unique: [['plan_id', 'key']],
  search: [],
})

declare module '../define-kind.ts' {
  interface Kinds {
    task: typeof task
  }
}

export default task
