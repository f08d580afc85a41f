import type { Tx } from '@story-portal/shared/db'
import { type End, edgesOf, endOf, isOpen } from './links.ts'

type Edge = Awaited<ReturnType<typeof edgesOf>>[number]

export type Node = End & {
  /** It is open, and nothing that it depends on is. */
  ready: boolean
  /** What it waits for. */
  blocked_by: string[]
}

export type TaskGraph = {
  nodes: Node[]
  edges: { from: string; relation: string; to: string }[]
  /** The longest chain of open tasks, each depending on the next; the first to be done last. */
  critical_path: string[]
  omitted: number
}

/** What hangs together in a project: all of it, or what is at most `depth` links away from one task. */
export async function taskGraph(
  tx: Tx,
  projectId: string,
  { around, depth, limit }: { around?: string | undefined; depth: number; limit: number },
): Promise<TaskGraph> {
  const all = await edgesOf(tx, projectId)
  const ids = around === undefined ? allEnds(all) : within(all, around, depth)
  const shown = new Set([...ids].slice(0, limit))
  const depends = all.filter(({ relation }) => relation === 'depends_on')
  // What a shown task waits for counts also where it is not shown: a cut must not make anything ready.
  const needed = depends.flatMap(({ task_context_id, target_id }) => (shown.has(task_context_id) ? [target_id] : []))
  const ends = new Map<string, End>()
  for (const id of new Set([...shown, ...needed])) {
    const found = await endOf(tx, id)
    if (found) ends.set(id, found)
  }
  const edges = all.filter((edge) => shown.has(edge.task_context_id) && shown.has(edge.target_id))
  const whole = around === undefined ? ids : within(all, around, all.length)
  return {
    nodes: [...ends.values()].filter(({ id }) => shown.has(id)).map((end) => nodeOf(end, depends, ends)),
    edges: edges
      .filter(({ task_context_id, target_id }) => ends.has(task_context_id) && ends.has(target_id))
      .map(({ task_context_id, relation, target_id }) => ({ from: task_context_id, relation, to: target_id })),
    critical_path: criticalPath(edges, new Map([...ends].filter(([id]) => shown.has(id)))),
    omitted: whole.size - shown.size,
  }
}

function allEnds(edges: readonly Edge[]): Set<string> {
  return new Set(edges.flatMap(({ task_context_id, target_id }) => [task_context_id, target_id]))
}

function within(edges: readonly Edge[], around: string, depth: number): Set<string> {
  const found = new Set([around])
  for (let step = 0; step < depth; step++) {
    const before = found.size
    const edge = [...edges].filter(
      ({ task_context_id, target_id }) => found.has(task_context_id) !== found.has(target_id),
    )
    for (const { task_context_id, target_id } of edge) found.add(task_context_id).add(target_id)
    if (found.size === before) break
  }
  return found
}

function nodeOf(end: End, edges: readonly Edge[], ends: ReadonlyMap<string, End>): Node {
  const blocked_by = edges.flatMap(({ task_context_id, relation, target_id }) =>
    task_context_id === end.id && relation === 'depends_on' && ends.get(target_id)?.done === false ? [target_id] : [],
  )
  return { ...end, ready: isOpen(end) && blocked_by.length === 0, blocked_by }
}

function criticalPath(edges: readonly Edge[], ends: ReadonlyMap<string, End>): string[] {
  const needs = new Map<string, string[]>()
  for (const { task_context_id, relation, target_id } of edges)
    if (relation === 'depends_on') needs.set(task_context_id, [...(needs.get(task_context_id) ?? []), target_id])
  const longest = new Map<string, string[]>()
  const chainOf = (id: string): string[] => {
    const known = longest.get(id)
    if (known) return known
    const below = (needs.get(id) ?? []).map(chainOf).sort((a, b) => b.length - a.length)[0] ?? []
    const chain = ends.get(id)?.done === false ? [id, ...below] : below
    longest.set(id, chain)
    return chain
  }
  return [...ends.keys()].map(chainOf).sort((a, b) => b.length - a.length)[0] ?? []
}

/** The graph as a picture that Markdown viewers draw. */
export function mermaid({ nodes, edges }: TaskGraph): string {
  const name = new Map(nodes.map(({ id }, i) => [id, `t${i}`]))
  const arrows: Record<string, string> = { depends_on: '-->', related_to: '-.-', parent: '==>' }
  return [
    'flowchart LR',
    ...nodes.map(
      ({ id, title, status, ready }) => `  ${name.get(id)}["${plain(title)}<br>${ready ? 'ready' : status}"]`,
    ),
    ...edges.map(({ from, relation, to }) => `  ${name.get(from)} ${arrows[relation]}|${relation}| ${name.get(to)}`),
  ].join('\n')
}

/** A title is anybody's text: nothing in it may end the label. */
function plain(title: string): string {
  return title.replace(/[^\p{L}\p{N} .,:;/_-]/gu, ' ').slice(0, 60)
}
