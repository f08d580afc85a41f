import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { type CatalogueEntry, registeredTools, serverTools } from '../catalogue.ts'
import { type Document, rank } from '../ranking.ts'
import { REGISTERED, ServerName } from '../schema.ts'
import { words } from '../words.ts'

export default defineTool({
  name: 'search_tools',
  description:
    'Returns the tools of all servers that fit a query in plain words, best first. For the arguments of one of them, call get_tool_definition.',
  effect: 'read',
  transaction: false,
  input: {
    query: z.string().min(1).max(300).describe('What you want to do, such as: claim the next task.'),
    server: ServerName.optional(),
    limit: z.int().min(1).max(50).default(8).describe('At most this many.'),
  },
  output: { items: z.array(z.looseObject({ server: z.string(), tool: z.string(), description: z.string() })) },
  async run({ query, server, limit }, ctx) {
    const [own, registered] = await Promise.all([
      server === REGISTERED ? [] : serverTools(ctx, server),
      server === undefined || server === REGISTERED ? registeredTools(ctx, words(query), 50) : [],
    ])
    const found = rank([...own, ...registered].map(toDocument), query, limit)
    return { items: found.map(({ item }) => brief(item)) }
  },
})

function toDocument(item: CatalogueEntry): Document<CatalogueEntry> {
  return {
    item,
    fields: [
      { text: item.tool.replaceAll('_', ' '), weight: 4 },
      { text: item.title, weight: 1 },
      // Other tools that it names are neighbours: whoever looks for them should find them, not this one.
      { text: item.description.replace(/\b[a-z]+(_[a-z]+)+\b/g, ' '), weight: 2 },
      { text: item.server, weight: 1 },
      { text: Object.keys(Object(item.input_schema['properties'])).join(' ').replaceAll('_', ' '), weight: 0.5 },
    ],
  }
}

/** The first sentence is enough to choose by; the rest is a call away. */
function brief({ server, tool, description }: CatalogueEntry) {
  const sentence = /^.*?[.!?](?=\s|$)/s.exec(description)?.[0] ?? description
  return { server, tool, description: sentence.slice(0, 240) }
}
