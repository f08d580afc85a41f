import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { WorkflowName } from '../schema.ts'
import { workflowNamed } from '../workflow.ts'

export default defineTool({
  name: 'get_workflow',
  description: 'Returns the parameters of one workflow as JSON Schema. To start it, call run_workflow.',
  effect: 'read',
  transaction: false,
  input: { name: WorkflowName },
  output: { workflow: z.looseObject({ name: z.string() }) },
  async run({ name }) {
    const { parameters, tasks, ...shown } = await workflowNamed(name)
    const schema = z.toJSONSchema(parameters, { io: 'input', unrepresentable: 'any' })
    delete schema.$schema
    return { workflow: { ...shown, parameters: schema, ...(typeof tasks === 'function' ? {} : { tasks }) } }
  },
})
