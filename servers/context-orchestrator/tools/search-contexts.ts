import { findRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { type Fused, fuse, HASH_MODEL, nearest } from '@story-portal/shared/embedding'
import { badInput } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { sql } from 'kysely'
import { z } from 'zod'
import { placeOf } from '../place.ts'
import { ProjectName, TaskId } from '../schema.ts'
import { likenessText, TASK_EMBEDDING } from '../search/index-task.ts'
import { searchText } from '../search/search-text.ts'
import { snippetOf } from '../search/snippet.ts'
import { findProject, findTask, readVersion } from '../store.ts'

/** Read of each ranking, so that what stands low in both can still come up. */
const DEPTH = 100
/** Vectors are compared one by one: of the tasks saved last. */
const MOST_COMPARED = 500

export default defineTool({
  name: 'search_contexts',
  description:
    'Finds tasks of a project by what was saved in them: by words and by likeness, best first, with the part that matches. similar_to finds past tasks like one. For titles only, call list_task_contexts.',
  effect: 'read',
  input: {
    query: z.string().trim().min(1).max(500).optional().describe('Words; "exact phrase", -without'),
    similar_to: TaskId.optional().describe('tcx_..., instead of query'),
    project: ProjectName.optional(),
    limit: z.int().min(1).max(50).default(10).describe('At most this many'),
  },
  output: { items: z.array(z.looseObject({ task_id: z.string(), score: z.number() })), embedding_model: z.string() },
  async run(
    { query, similar_to, project: name, limit },
    { tx, caller },
  ): Promise<{ items: Shown[]; embedding_model: string }> {
    const like = similar_to === undefined ? undefined : await findTask(tx, similar_to, { name: '' })
    if ((query === undefined) === (like === undefined)) throw badInput('query', 'or similar_to is needed, one of them')
    const project = like?.project_id ?? (await findProject(tx, placeOf(caller, name)))?.id
    if (project === undefined) return { items: [], embedding_model: HASH_MODEL }
    const text = like ? likenessText(like.title, searchText(await readVersion(tx, like.id, like.head))) : (query ?? '')
    const words = query === undefined ? [] : await byWords(tx, project, query)
    // Beside words that were found, a faint likeness is noise.
    const close = { limit: DEPTH, atLeast: words.length > 0 ? 0.35 : 0.2, among: latest(project) }
    const likeness = (await nearest(tx, TASK_EMBEDDING, text, close)).map(({ id }) => id)
    const ranked = fuse(query === undefined ? { likeness } : { words, likeness }).filter(({ id }) => id !== like?.id)
    const items: Shown[] = []
    for (const hit of ranked.slice(0, limit)) items.push(...(await shown(tx, hit, query)))
    return { items, embedding_model: HASH_MODEL }
  },
})

async function byWords(tx: Tx, project: string, query: string): Promise<string[]> {
  const { rows } = await sql<{ task_context_id: string }>`
    select task_context_id from core.search_contexts(${project}, ${query}, ${DEPTH}::int)`.execute(tx)
  return rows.map(({ task_context_id }) => task_context_id)
}

/** The tasks of a project that were saved last, as a query. */
function latest(project: string) {
  return sql`select core.latest_contexts(${project}, ${MOST_COMPARED}::int)`
}

type Shown = { task_id: string; score: number; [more: string]: unknown }

/** Nothing for a task that was deleted meanwhile. */
async function shown(tx: Tx, { id, score, by }: Fused, query: string | undefined): Promise<Shown[]> {
  const task = await findRecord(tx, 'task_context', id)
  if (!task) return []
  const checkpoint = await readVersion(tx, id, task.head)
  const match = query === undefined ? undefined : snippetOf(checkpoint, query)
  const { title, status, head: version, updated_at } = task
  const brief = { task_id: id, title, status, version, updated_at, score: Math.round(score * 1000) / 1000 }
  return [{ ...brief, found_by: by, ...(match ? { match } : { goal: checkpoint.goal?.slice(0, 200) ?? null }) }]
}
