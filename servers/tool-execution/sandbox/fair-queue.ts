/** First come, first served inside a group; groups take turns, so that one tenant's thousand runs do not stop another's one. */
export class FairQueue<T> {
  readonly #groups = new Map<string, T[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(group: string, item: T): void {
    const items = this.#groups.get(group)
    if (items) items.push(item)
    else this.#groups.set(group, [item])
    this.#size += 1
  }

  shift(): T | undefined {
    for (const [group, items] of this.#groups) {
      const item = items.shift()
      // Behind the others, or out when empty: a Map keeps insertion order.
      this.#groups.delete(group)
      if (items.length > 0) this.#groups.set(group, items)
      this.#size -= 1
      return item
    }
    return undefined
  }

  remove(group: string, item: T): boolean {
    const items = this.#groups.get(group)
    const at = items?.indexOf(item) ?? -1
    if (!items || at < 0) return false
    items.splice(at, 1)
    if (items.length === 0) this.#groups.delete(group)
    this.#size -= 1
    return true
  }
}
