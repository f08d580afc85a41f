import { bool, defineKind, fallback, json, managed, oneOf, optional, states, text, time } from '../define-kind.ts'

const tool = defineKind({
  name: 'tool',
  table: 'core.tools',
  prefix: 'tol',
  managed: true,
  managedBy: 'Use register_tool and deprecate_tool on tool-execution; a version that was registered never changes.',
  fields: {
    name: managed(text(200)),
    semver: managed(text(100)),
    title: optional(text(200)),
    description: managed(text()),
    input_schema: managed(json()),
    output_schema: managed(optional(json())),
    source: managed(json()),
    source_hash: managed(text(128)),
    permissions: managed(optional(json())),
    limits: managed(optional(json())),
    requires_approval: managed(fallback(bool(), false)),
    status: managed(
      states(['active'], {
        active: ['deprecated', 'disabled'],
        deprecated: ['active', 'disabled'],
        disabled: ['active'],
      }),
    ),
    deprecated_at: managed(optional(time())),
    sunset_at: managed(optional(time())),
    replacement: managed(optional(text(200))),
    concurrency: managed(optional(json())),
    effect: managed(fallback(oneOf('pure', 'journaled', 'outside'), 'pure')),
  },
  unique: [['name', 'semver']],
  search: ['name', 'title', 'description'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    tool: typeof tool
  }
}

export default tool
