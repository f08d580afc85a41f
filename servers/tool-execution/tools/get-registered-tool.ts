import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { chooseVersion, deprecationOf, shownTool, versionsOf } from '../registered-tools.ts'
import { ShownTool, ToolName, VersionRange } from '../schema.ts'

export default defineTool({
  name: 'get_registered_tool',
  description:
    'Returns one version of a registered tool with its schemas, source and permissions, and which versions there are. To find a name, use search_registered_tools.',
  effect: 'read',
  input: { tool: ToolName, version: VersionRange.optional() },
  output: { tool: ShownTool, versions: z.array(z.looseObject({})), deprecation: z.string().optional() },
  async run({ tool: name, version }, { tx }) {
    const all = await versionsOf(tx, name)
    // Of a version that is asked for by name also what can not be called any more is shown.
    const exact = all.find((tool) => tool.semver === version)
    const tool = exact ?? (await chooseVersion(tx, name, version))
    const deprecation = deprecationOf(tool)
    return {
      tool: shownTool(tool),
      versions: all.map(({ semver, status, sunset_at }) => ({ version: semver, status, sunset_at })),
      ...(deprecation === undefined ? {} : { deprecation }),
    }
  },
})
