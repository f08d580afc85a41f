import { jsonSchemaToTypeScript, type ServerManifest } from '@story-portal/shared/mcp'

/** `ToolTypes[server][tool]` is what `ctx.call` and code mode type their arguments and results with. */
export function toolTypes(servers: readonly ServerManifest[]): string {
  const indent = '      '
  const body = servers.map(({ name, tools }) => {
    const entries = tools.map((tool) => {
      const input = jsonSchemaToTypeScript(tool.inputSchema, { indent })
      const output = jsonSchemaToTypeScript(tool.outputSchema, { indent })
      return `    /** ${tool.description.replaceAll('*/', '* /')} */\n    ${tool.name}: {\n      input: ${input}\n      output: ${output}\n    }`
    })
    return `  '${name}': {\n${entries.join('\n')}\n  }`
  })
  return [
    '// Made by "npm run gen" from the tools of every server; do not edit.',
    '',
    '/** Input and output of every tool by server, as `ctx.call` types them. */',
    `export interface ToolTypes {\n${body.join('\n')}\n}`,
    '',
  ].join('\n')
}
