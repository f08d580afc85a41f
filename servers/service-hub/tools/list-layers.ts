import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'

const Layer = z.looseObject({
  server: z.string(),
  layer: z.string(),
  state: z.enum(['ready', 'not_ready', 'unreachable']),
  version: z.string().optional(),
  tools: z.int(),
  summary: z.string(),
})

export default defineTool({
  name: 'list_layers',
  description:
    'Returns every server of the platform with its health, version and number of tools. To find a tool, call search_tools.',
  effect: 'read',
  transaction: false,
  input: {},
  output: { items: z.array(Layer) },
  async run(_args, ctx) {
    const layers = await ctx.host.layers()
    return { items: layers.map(({ port: _port, title: _title, hosted: _hosted, ...row }) => row) }
  },
})
