import { defineKind, int, json, optional, text } from '../define-kind.ts'

const feedback = defineKind({
  name: 'feedback',
  table: 'core.feedback',
  prefix: 'fbk',
  fields: {
    target_kind: text(100),
    target_id: text(200),
    rating: optional(int(-100, 100)),
    comment: optional(text()),
    labels: optional(json()),
  },
  search: ['comment'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    feedback: typeof feedback
  }
}

export default feedback
