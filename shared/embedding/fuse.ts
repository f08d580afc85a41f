export interface Fused {
  id: string
  /** 0 to 1; only comparable within one result. */
  score: number
  /** Which rankings have it. */
  by: string[]
}

// Reciprocal rank fusion with the usual constant (Cormack, Clarke, Büttcher, 2009): ranks compare where scores do not.
const K = 60

/** Several rankings of ids, best first, as one: what stands high in more than one of them comes first. */
export function fuse(rankings: Readonly<Record<string, readonly string[]>>): Fused[] {
  const found = new Map<string, Fused>()
  const count = Math.max(1, Object.keys(rankings).length)
  for (const [name, ids] of Object.entries(rankings)) {
    for (const [i, id] of ids.entries()) {
      const known = found.get(id) ?? { id, score: 0, by: [] }
      known.score += (K + 1) / (K + 1 + i) / count
      known.by.push(name)
      found.set(id, known)
    }
  }
  return [...found.values()].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
}
