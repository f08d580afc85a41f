import { listRecords, type RecordOf } from '@story-portal/shared/data'
import { fuse, HASH_MODEL, nearest } from '@story-portal/shared/embedding'
import { compareVersions } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { TOOL_EMBEDDING } from '../registered-tools.ts'

/** Read of each ranking: several versions of one tool are one hit. */
const DEPTH = 200

export default defineTool({
  name: 'search_registered_tools',
  description:
    'Finds registered tools by what they are for: by words and by likeness of the text, best first. For the schemas of one, call get_registered_tool.',
  effect: 'read',
  input: {
    query: z.string().trim().min(1).max(500).describe('What it should do, such as: turn CSV into JSON'),
    include_deprecated: z.boolean().default(false).describe('Also versions that should not be used any more'),
    limit: z.int().min(1).max(50).default(10).describe('At most this many'),
  },
  output: {
    items: z.array(z.looseObject({ tool: z.string(), version: z.string(), description: z.string() })),
    embedding_model: z.string(),
  },
  async run({ query, include_deprecated, limit }, { tx }) {
    const words = query.match(/[\p{L}\p{N}_]+/gu) ?? []
    const byWords = await listRecords(tx, 'tool', { query: words.join(' or ') || query, limit: DEPTH, omit: HEAVY })
    const byLikeness = await nearest(tx, TOOL_EMBEDDING, query, { limit: DEPTH })
    const ids = byLikeness.map(({ id }) => id)
    const known = new Map(byWords.items.map((tool) => [tool.id, tool]))
    const missing = ids.filter((id) => !known.has(id))
    if (missing.length > 0) {
      const more = await listRecords(tx, 'tool', { filter: { id: { in: missing } }, limit: DEPTH, omit: HEAVY })
      for (const tool of more.items) known.set(tool.id, tool)
    }
    const ranked = fuse({ words: byWords.items.map(({ id }) => id), likeness: ids })
    const usable = ranked.flatMap((hit) => {
      const tool = known.get(hit.id)
      const shown = tool && (tool.status === 'active' || (include_deprecated && tool.status === 'deprecated'))
      return shown ? [{ ...hit, tool }] : []
    })
    return { items: newestOfEach(usable).slice(0, limit).map(brief), embedding_model: HASH_MODEL }
  },
})

const HEAVY = ['input_schema', 'output_schema', 'source']

interface Hit {
  score: number
  by: string[]
  tool: RecordOf<'tool'>
}

/** One hit per name, at the place of its best version, showing its newest. */
function newestOfEach(hits: readonly Hit[]): Hit[] {
  const byName = new Map<string, Hit>()
  for (const hit of hits) {
    const first = byName.get(hit.tool.name)
    if (first === undefined) byName.set(hit.tool.name, hit)
    else if (compareVersions(hit.tool.semver, first.tool.semver) > 0)
      byName.set(hit.tool.name, { ...first, tool: hit.tool })
  }
  return [...byName.values()]
}

function brief({ tool, score, by }: Hit) {
  const { name, semver, status, description, replacement } = tool
  return {
    tool: name,
    version: semver,
    description: description.slice(0, 300),
    score: Math.round(score * 1000) / 1000,
    found_by: by,
    ...(status === 'active' ? {} : { status, replacement }),
  }
}
