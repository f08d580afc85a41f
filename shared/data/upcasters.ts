import { defineUpcaster } from '../events/index.ts'
import type { Kind } from './define-kind.ts'

export const VERBS = ['created', 'updated', 'deleted', 'restored'] as const

/** Lets old events of a kind be read with the fields it has now: each of its four types gets the kind's steps for the record. */
export function registerUpcasters(kind: Pick<Kind, 'name' | 'upcasters'>): void {
  for (const [index, lift] of (kind.upcasters ?? []).entries()) {
    for (const verb of VERBS) {
      defineUpcaster(`${kind.name}.${verb}`, index + 1, (data) => {
        const image = data as { record: Record<string, unknown> }
        return { ...image, record: lift(image.record) }
      })
    }
  }
}
