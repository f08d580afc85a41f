import { z } from 'zod'
import { defineKind, json, optional, states, text } from '../define-kind.ts'

const stringList = z.array(z.string().max(200)).max(1000)

const agent = defineKind({
  name: 'agent',
  table: 'core.agents',
  prefix: 'agt',
  fields: {
    name: text(200),
    role: optional(text()),
    instructions: optional(text(100_000)),
    model_policy: optional(json()),
    granted_tools: optional(json<string[]>(stringList)),
    limits: optional(json()),
    status: states(['created'], {
      created: ['active', 'terminated', 'error'],
      active: ['busy', 'suspended', 'terminated', 'error'],
      busy: ['active', 'terminated', 'error'],
      suspended: ['active', 'terminated', 'error'],
      error: ['terminated'],
      terminated: [],
    }),
  },
  search: ['name', 'role', 'instructions'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    agent: typeof agent
  }
}

export default agent
