import { anyJson, defineKind, fallback, json, oneOf, optional, states, text } from '../define-kind.ts'

const goal = defineKind({
  name: 'goal',
  table: 'core.goals',
  prefix: 'gol',
  fields: {
    title: text(500),
    description: optional(text(100_000)),
    constraints: optional(anyJson()),
    status: states(['pending'], {
      pending: ['active'],
      active: ['completed', 'failed', 'cancelled'],
      completed: [],
      failed: [],
      cancelled: [],
    }),
    completes_with: fallback(oneOf('plan', 'manual'), 'plan'),
    result: optional(anyJson()),
    error: optional(json()),
    labels: optional(json()),
  },
  search: ['title', 'description'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    goal: typeof goal
  }
}

export default goal
