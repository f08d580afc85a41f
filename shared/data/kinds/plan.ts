import { z } from 'zod'
import { defineKind, fallback, int, json, managed, optional, ref, states, text, time } from '../define-kind.ts'

const keys = z.array(z.string())

const plan = defineKind({
  name: 'plan',
  table: 'core.plans',
  prefix: 'pln',
  managed: true,
  managedBy: 'Use create_plan, revise_plan, run_plan, pause_plan and cancel_plan on planning.',
  fields: {
    goal_id: managed(ref('goal')),
    name: optional(text(500)),
    revision: managed(fallback(int(1), 1)),
    revises_plan_id: managed(optional(ref('plan'))),
    status: managed(
      states(['draft', 'validated'], {
        draft: ['validated', 'cancelled'],
        validated: ['executing', 'cancelled'],
        executing: ['paused', 'completed', 'failed', 'cancelled'],
        paused: ['executing', 'cancelled'],
        completed: [],
        failed: [],
        cancelled: [],
      }),
    ),
    strategy: managed(optional(text(100))),
    definition: managed(optional(json())),
    waves: managed(optional(json<string[][]>(z.array(keys)))),
    critical_path: managed(optional(json<string[]>(keys))),
    caller: managed(optional(json())),
    tasks_total: managed(fallback(int(), 0)),
    tasks_completed: managed(fallback(int(), 0)),
    tasks_failed: managed(fallback(int(), 0)),
    tasks_skipped: managed(fallback(int(), 0)),
    tasks_cancelled: managed(fallback(int(), 0)),
    max_parallel: managed(optional(int(1))),
    error: managed(optional(json())),
    started_at: managed(optional(time())),
    finished_at: managed(optional(time())),
    paused_at: managed(optional(time())),
  },
  search: ['name'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    plan: typeof plan
  }
}

export default plan
