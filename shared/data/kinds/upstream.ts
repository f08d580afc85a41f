import { defineKind, json, managed, states, text } from '../define-kind.ts'

const upstream = defineKind({
  name: 'upstream',
  table: 'core.upstreams',
  prefix: 'ups',
  managed: true,
  managedBy: 'Use connect_mcp_server on tool-execution.',
  fields: {
    name: managed(text(40)),
    transport: managed(json()),
    status: managed(states(['active'], { active: ['disabled'], disabled: ['active'] })),
  },
  unique: [['name']],
  search: ['name'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    upstream: typeof upstream
  }
}

export default upstream
