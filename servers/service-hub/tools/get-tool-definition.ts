import { errors } from '@story-portal/shared/errors'
import { defineTool, jsonSchemaToTypeScript, suggest } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { type CatalogueEntry, registeredTool, serverTools } from '../catalogue.ts'
import { REGISTERED, ServerName, ToolName } from '../schema.ts'

export default defineTool({
  name: 'get_tool_definition',
  description:
    'Returns the arguments and result of one tool as JSON Schema or TypeScript. To find a tool first, call search_tools.',
  effect: 'read',
  transaction: false,
  input: {
    server: ServerName,
    tool: ToolName,
    format: z.enum(['json_schema', 'typescript']).default('json_schema').describe('typescript is shorter.'),
  },
  output: { definition: z.looseObject({ server: z.string(), tool: z.string(), description: z.string() }) },
  async run({ server, tool, format }, ctx) {
    const candidates = server === REGISTERED ? [await registeredTool(ctx, tool)] : await serverTools(ctx, server)
    const entry = candidates.find((candidate) => candidate?.tool === tool)
    if (!entry) throw unknownTool(server, tool, candidates)
    return { definition: format === 'typescript' ? asTypeScript(entry) : { ...entry } }
  },
})

function asTypeScript(entry: CatalogueEntry) {
  const { server, tool, description, input_schema, output_schema } = entry
  const result = output_schema === undefined ? 'unknown' : jsonSchemaToTypeScript(output_schema)
  return {
    server,
    tool,
    description,
    typescript: `(args: ${jsonSchemaToTypeScript(input_schema)}) => Promise<${result}>`,
  }
}

function unknownTool(server: string, tool: string, candidates: readonly (CatalogueEntry | undefined)[]) {
  const near = suggest(
    tool,
    candidates.flatMap((entry) => entry?.tool ?? []),
  )
  return errors.unknownTool({ server, tool }, near === undefined ? {} : { hint: `Did you mean ${near}?` })
}
