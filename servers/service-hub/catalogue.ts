import { listRecords, type RecordOf } from '@story-portal/shared/data'
import { compareVersions } from '@story-portal/shared/engine'
import type { JsonSchema, OpenContext, ToolDefinition } from '@story-portal/shared/mcp'
import { REGISTERED } from './schema.ts'

/** A tool as the hub shows it, whoever defines it. */
export interface CatalogueEntry {
  server: string
  tool: string
  title: string
  description: string
  input_schema: JsonSchema
  output_schema?: JsonSchema
}

/** Not shown, and of a built-in tool over a hundred kilobytes. */
const CODE = ['source']

type Context = Pick<OpenContext, 'host' | 'caller' | 'db'>

/** Every tool of every server that the caller may call. A server that is down is still listed: its definitions are known. */
export async function serverTools(ctx: Context, only?: string): Promise<CatalogueEntry[]> {
  const names = only === undefined ? (await ctx.host.layers()).map(({ server }) => server) : [only]
  const lists = await Promise.all(
    names.map(async (server) =>
      (await ctx.host.definitions(server, ctx.caller)).map((tool) => fromDefinition(server, tool)),
    ),
  )
  return lists.flat()
}

/** Registered tools with any of the words, best match first. */
export async function registeredTools(
  ctx: Context,
  words: readonly string[],
  limit: number,
): Promise<CatalogueEntry[]> {
  if (words.length === 0) return []
  const page = await ctx.db.read((tx) =>
    listRecords(tx, 'tool', { query: words.join(' or '), filter: { status: 'active' }, limit, omit: CODE }),
  )
  return newestOfEach(page.items).map(fromRecord)
}

/** The newest active version of one registered tool. */
export async function registeredTool(ctx: Context, name: string): Promise<CatalogueEntry | undefined> {
  const page = await ctx.db.read((tx) =>
    listRecords(tx, 'tool', { filter: { name, status: 'active' }, limit: 50, omit: CODE }),
  )
  return newestOfEach(page.items).map(fromRecord)[0]
}

/** `registered` for a registered tool that is asked for by the name of the server that keeps it; a tool of its own goes first. */
export async function serverMeant(ctx: Context, server: string, tool: string): Promise<string> {
  if (server !== 'tool-execution') return server
  const own = await ctx.host.definitions(server, ctx.caller)
  if (own.some(({ name }) => name === tool)) return server
  return (await registeredTool(ctx, tool)) === undefined ? server : REGISTERED
}

function fromDefinition(server: string, tool: ToolDefinition): CatalogueEntry {
  const { name, title, description, inputSchema, outputSchema } = tool
  return { server, tool: name, title, description, input_schema: inputSchema, output_schema: outputSchema }
}

function fromRecord(tool: RecordOf<'tool'>): CatalogueEntry {
  return {
    server: REGISTERED,
    tool: tool.name,
    title: tool.title ?? tool.name,
    description: tool.description,
    input_schema: tool.input_schema as JsonSchema,
    ...(tool.output_schema ? { output_schema: tool.output_schema as JsonSchema } : {}),
  }
}

function newestOfEach(items: readonly RecordOf<'tool'>[]): RecordOf<'tool'>[] {
  const newest = new Map<string, RecordOf<'tool'>>()
  for (const item of items) {
    const known = newest.get(item.name)
    if (!known || compareVersions(item.semver, known.semver) > 0) newest.set(item.name, item)
  }
  return [...newest.values()]
}
