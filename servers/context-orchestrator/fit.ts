/** What was left out of a part, and how much of it. */
export type Omitted<P extends string = string> = {
  part: P
  items: number
}

/** A part that is wanted, and the percent of the budget that earlier ones leave for it. */
export interface Need<P extends string> {
  part: P
  share?: number | undefined
  /** Which entries of a list stay; without, the last ones, which are the newest. */
  keep?: 'first'
}

type PartOf<T> = keyof T & string

/**
 * As much of some parts as fits into a budget, those that are needed first before the others: nothing takes room in which more of an
 * earlier part would fit, except its own share. A list is cut entry by entry; a text or an object stays whole or goes. A token is
 * counted as four bytes of the JSON of what is kept.
 */
export function fit<T extends object>(
  values: T,
  maxTokens: number,
  needs: readonly Need<PartOf<T>>[],
): { kept: Partial<T>; omitted: Omitted<PartOf<T>>[] } {
  // Two are the braces around all of it.
  const most = maxTokens * 4 - 2
  const shares = needs.map(({ part, share = 0 }) =>
    share === 0 ? 0 : Math.min(costOf(values, part), Math.floor((most * share) / 100)),
  )
  let reserved = shares.reduce((sum, share) => sum + share, 0)
  let left = most
  const kept: Record<string, unknown> = {}
  const omitted: Omitted<PartOf<T>>[] = []
  for (const [i, need] of needs.entries()) {
    reserved -= shares[i] ?? 0
    const { part } = need
    const entries = entriesOf(values[part])
    const stays = within(left - reserved - cost(part), entries, need)
    if (stays.length < entries.length) omitted.push({ part, items: entries.length - stays.length })
    if (stays.length === 0) continue
    left -= stays.reduce<number>((sum, entry) => sum + cost(entry), cost(part))
    kept[part] = Array.isArray(values[part]) ? stays : values[part]
  }
  return { kept: kept as Partial<T>, omitted }
}

/** The entries of a list that stay, without a gap. */
function within(room: number, entries: readonly unknown[], { keep }: Need<string>): readonly unknown[] {
  const ordered = keep === 'first' ? entries : entries.toReversed()
  let left = room
  const end = ordered.findIndex((entry) => {
    left -= cost(entry)
    return left < 0
  })
  const count = end === -1 ? entries.length : end
  return keep === 'first' ? entries.slice(0, count) : entries.slice(entries.length - count)
}

function entriesOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function costOf<T extends object>(values: T, part: PartOf<T>): number {
  const entries = entriesOf(values[part])
  return entries.length === 0 ? 0 : entries.reduce<number>((sum, entry) => sum + cost(entry), cost(part))
}

/** With what JSON puts around it. */
function cost(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 2
}
