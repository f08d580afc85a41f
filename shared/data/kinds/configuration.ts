import { anyJson, defineKind, json, managed, optional, text } from '../define-kind.ts'

const configuration = defineKind({
  name: 'configuration',
  table: 'core.configurations',
  prefix: 'cfg',
  managed: true,
  managedBy: 'Use set_configuration, which checks the value against its schema.',
  fields: {
    key: managed(text(200)),
    value: managed(anyJson()),
    schema: managed(optional(json())),
    description: optional(text()),
  },
  unique: [['key']],
  search: ['key', 'description'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    configuration: typeof configuration
  }
}

export default configuration
