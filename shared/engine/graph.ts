/** A plan's dependencies as indexes; every edge points to an existing task. */
export interface Graph {
  size: number
  dependencies: readonly (readonly number[])[]
}

export interface Order {
  /** Dependencies first. Shorter than the graph when there is a cycle. */
  topological: number[]
  /** Longest distance from a task without dependencies. */
  depth: number[]
}

/** Kahn's algorithm, O(n + e). */
export function order(graph: Graph): Order {
  const open = graph.dependencies.map((d) => d.length)
  const dependants = invert(graph)
  const depth = new Array<number>(graph.size).fill(0)
  const topological: number[] = []
  for (let i = 0; i < graph.size; i++) if (open[i] === 0) topological.push(i)
  for (let at = 0; at < topological.length; at++) {
    const task = topological[at] as number
    for (const next of dependants[task] ?? []) {
      depth[next] = Math.max(depth[next] ?? 0, (depth[task] ?? 0) + 1)
      open[next] = (open[next] ?? 0) - 1
      if (open[next] === 0) topological.push(next)
    }
  }
  return { topological, depth }
}

/** One cycle as indexes in dependency order, first = last; undefined when there is none. */
export function findCycle(graph: Graph, sorted: Order): number[] | undefined {
  const done = new Set(sorted.topological)
  let at = 0
  while (at < graph.size && done.has(at)) at++
  if (at === graph.size) return undefined
  // Every unsorted task has an unsorted dependency, so walking along them must meet itself.
  const seenAt = new Map<number, number>()
  const walk: number[] = []
  while (!seenAt.has(at)) {
    seenAt.set(at, walk.length)
    walk.push(at)
    at = (graph.dependencies[at] ?? []).find((d) => !done.has(d)) ?? at
  }
  return [...walk.slice(seenAt.get(at)), at]
}

/** The heaviest chain of tasks, in running order. */
export function criticalPath(graph: Graph, sorted: Order, weight: (task: number) => number) {
  // Finishing time of each task when nothing waits for a worker; Uint arrays would overflow at 50 days.
  const total = new Float64Array(graph.size)
  const before = new Int32Array(graph.size).fill(-1)
  for (const task of sorted.topological) {
    before[task] = heaviest(graph.dependencies[task] ?? [], total)
    total[task] = weight(task) + at(total, before[task])
  }
  const path: number[] = []
  const last = heaviest(sorted.topological, total)
  for (let task = last; task !== -1; task = before[task] ?? -1) path.push(task)
  return { path: path.reverse(), weight: at(total, last) }
}

function heaviest(tasks: readonly number[], total: Float64Array): number {
  let best = -1
  for (const task of tasks) if (best === -1 || at(total, task) > at(total, best)) best = task
  return best
}

function at(totals: Float64Array, task: number | undefined): number {
  return task === undefined || task === -1 ? 0 : (totals[task] ?? 0)
}

/**
 * Tells whether one task comes before another. One bit per task of `of` is carried along the order, so all questions together
 * cost O(e * |of| / 32): a search per question would be quadratic for a hostile plan.
 */
export function ancestors(graph: Graph, sorted: Order, of: ReadonlySet<number>) {
  const bits = new Map([...of].map((task, i) => [task, i]))
  const words = Math.ceil(bits.size / 32)
  const above = new Uint32Array(graph.size * words)
  for (const task of sorted.topological) {
    for (const dependency of graph.dependencies[task] ?? []) {
      for (let w = 0; w < words; w++)
        above[task * words + w] = (above[task * words + w] ?? 0) | (above[dependency * words + w] ?? 0)
      const bit = bits.get(dependency)
      if (bit !== undefined)
        above[task * words + (bit >> 5)] = (above[task * words + (bit >> 5)] ?? 0) | (1 << (bit & 31))
    }
  }
  return (ancestor: number, task: number): boolean => {
    const bit = bits.get(ancestor)
    return bit !== undefined && ((above[task * words + (bit >> 5)] ?? 0) & (1 << (bit & 31))) !== 0
  }
}

function invert(graph: Graph): number[][] {
  const dependants: number[][] = Array.from({ length: graph.size }, () => [])
  graph.dependencies.forEach((list, task) => {
    for (const dependency of list) dependants[dependency]?.push(task)
  })
  return dependants
}
