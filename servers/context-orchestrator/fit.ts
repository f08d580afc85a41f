import { type Checkpoint, PARTS, type Part } from './checkpoint.ts'

/** What was left out of a part, and how much of it. */
export type Omitted = {
  part: Part
  items: number
}

/** A part that is wanted, and the percent of the budget that earlier ones leave for it. */
export interface Need {
  part: Part
  share?: number | undefined
}

const ALL: readonly Need[] = PARTS.map((part) => ({ part }))

/**
 * As much of a checkpoint as fits into a budget, the most valuable parts first, or those that are needed in their order. Of a list the newest entries stay; a text stays whole
 * or goes. A token is counted as four bytes of JSON.
 */
export function fit(
  checkpoint: Checkpoint,
  maxTokens: number,
  needs: readonly Need[] = ALL,
): { checkpoint: Checkpoint; omitted: Omitted[] } {
  let left = maxTokens * 4
  const kept: Record<string, unknown> = {}
  const omitted: Omitted[] = []
  for (const [i, { part }] of needs.entries()) {
    const value = checkpoint[part]
    if (value === undefined) continue
    const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
    let room = left - reserved(checkpoint, needs.slice(i + 1), maxTokens) - cost(part)
    let first = entries.length
    while (first > 0 && room >= cost(entries[first - 1])) {
      first -= 1
      room -= cost(entries[first])
    }
    if (first > 0) omitted.push({ part, items: first })
    if (first === entries.length) continue
    left -= spent(part, entries.slice(first))
    kept[part] = Array.isArray(value) ? entries.slice(first) : value
  }
  return { checkpoint: kept as Checkpoint, omitted }
}

/** What later parts are to find left: their shares, as far as they need them. */
function reserved(checkpoint: Checkpoint, needs: readonly Need[], maxTokens: number): number {
  return needs.reduce((sum, { part, share = 0 }) => {
    const value = checkpoint[part]
    const wanted = value === undefined ? 0 : spent(part, Array.isArray(value) ? value : [value])
    return sum + Math.min(wanted, (maxTokens * 4 * share) / 100)
  }, 0)
}

function spent(part: Part, entries: readonly unknown[]): number {
  return entries.reduce<number>((sum, entry) => sum + cost(entry), cost(part))
}

function cost(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 2
}
