import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { workflows } from '../workflow.ts'

export default defineTool({
  name: 'list_workflows',
  description: 'Returns the ready-made workflows. For the parameters of one, call get_workflow.',
  effect: 'read',
  transaction: false,
  input: {},
  output: { items: z.array(z.looseObject({ name: z.string() })) },
  async run() {
    return { items: [...(await workflows()).values()].map(({ name, description }) => ({ name, description })) }
  },
})
