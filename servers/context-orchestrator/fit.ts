import { type Checkpoint, PARTS, type Part } from './checkpoint.ts'

/** What was left out of a part, and how much of it. */
export type Omitted = {
  part: Part
  items: number
}

/**
 * As much of a checkpoint as fits into a budget, the most valuable parts first. Of a list the newest entries stay; a text stays whole
 * or goes. A token is counted as four bytes of JSON.
 */
export function fit(checkpoint: Checkpoint, maxTokens: number): { checkpoint: Checkpoint; omitted: Omitted[] } {
  let left = maxTokens * 4
  const kept: Record<string, unknown> = {}
  const omitted: Omitted[] = []
  for (const part of PARTS) {
    const value = checkpoint[part]
    if (value === undefined) continue
    const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
    let room = left - cost(part)
    let first = entries.length
    while (first > 0 && room >= cost(entries[first - 1])) {
      first -= 1
      room -= cost(entries[first])
    }
    if (first > 0) omitted.push({ part, items: first })
    if (first === entries.length) continue
    left = room
    kept[part] = Array.isArray(value) ? entries.slice(first) : value
  }
  return { checkpoint: kept as Checkpoint, omitted }
}

function cost(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 2
}
