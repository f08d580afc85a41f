import { errors } from '@story-portal/shared/errors'
import { defineTool, jsonSchemaToTypeScript, suggest } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { type CatalogueEntry, registeredTool, serverMeant, serverTools } from '../catalogue.ts'
import { REGISTERED, ServerName, ToolName } from '../schema.ts'

export default defineTool({
  name: 'get_tool_definition',
  description:
    'Returns the arguments and result of one tool as JSON Schema or TypeScript, or all of a server as TypeScript. To find a tool first, call search_tools.',
  effect: 'read',
  transaction: false,
  input: {
    server: ServerName,
    tool: ToolName.optional().describe('Tool as search_tools names it; without it all of the server, as TypeScript.'),
    format: z.enum(['json_schema', 'typescript']).default('json_schema').describe('typescript is shorter.'),
  },
  output: { definition: z.looseObject({ server: z.string() }) },
  async run({ server, tool, format }, ctx) {
    if (tool === undefined) {
      if (server === REGISTERED) throw unnamed()
      return { definition: { server, typescript: declarations(server, await serverTools(ctx, server)) } }
    }
    const registered = (await serverMeant(ctx, server, tool)) === REGISTERED
    const candidates = registered ? [await registeredTool(ctx, tool)] : await serverTools(ctx, server)
    const entry = candidates.find((candidate) => candidate?.tool === tool)
    if (!entry) throw unknownTool(server, tool, candidates)
    return { definition: format === 'typescript' ? asTypeScript(entry) : { ...entry } }
  },
})

function asTypeScript(entry: CatalogueEntry) {
  const { server, tool, description } = entry
  return { server, tool, description, typescript: functionType(entry) }
}

function functionType({ input_schema, output_schema }: CatalogueEntry, indent = ''): string {
  const result = output_schema === undefined ? 'unknown' : jsonSchemaToTypeScript(output_schema, { indent })
  return `(args: ${jsonSchemaToTypeScript(input_schema, { indent })}) => Promise<${result}>`
}

/** What a script sees of a server, as a declaration file. */
function declarations(server: string, entries: readonly CatalogueEntry[]): string {
  const members = entries.map(
    (entry) =>
      `    /** ${entry.description.replaceAll('*/', '* /')} */\n    ${entry.tool}: ${functionType(entry, '    ')}`,
  )
  return `declare const tools: {\n  ${server.replaceAll('-', '_')}: {\n${members.join('\n')}\n  }\n}\n`
}

function unnamed() {
  const faults = [{ path: 'tool', message: 'is needed for a registered tool', hint: 'search_tools names them.' }]
  return errors.invalidInput({ summary: 'tool is needed for a registered tool' }, { details: { faults } })
}

function unknownTool(server: string, tool: string, candidates: readonly (CatalogueEntry | undefined)[]) {
  const near = suggest(
    tool,
    candidates.flatMap((entry) => entry?.tool ?? []),
  )
  return errors.unknownTool({ server, tool }, near === undefined ? {} : { hint: `Did you mean ${near}?` })
}
