import { defineKind, float, json, optional, text } from '../define-kind.ts'

const evaluation = defineKind({
  name: 'evaluation',
  table: 'core.evaluations',
  prefix: 'evl',
  fields: {
    target_kind: text(100),
    target_id: text(200),
    metrics: optional(json()),
    score: optional(float()),
    method: optional(text(200)),
    notes: optional(text()),
  },
  search: ['notes'],
})

declare module '../define-kind.ts' {
  interface Kinds {
    evaluation: typeof evaluation
  }
}

export default evaluation
