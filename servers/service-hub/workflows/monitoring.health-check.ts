import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'monitoring.health_check',
  title: 'Check the health of the platform',
  description: 'Asks every server and the database how they are and gives one verdict; needs nobody.',
  parameters: z.strictObject({
    ignore: z.array(z.string().max(100)).max(50).default([]).describe('Servers whose state does not count'),
  }),
  tasks: [
    { key: 'layers', kind: 'tool', tool: 'service-hub.list_layers', input: {} },
    { key: 'database', kind: 'tool', tool: 'data.get_data_health', input: {} },
    {
      key: 'verdict',
      kind: 'code',
      depends_on: ['layers', 'database'],
      input: {
        layers: '{{tasks.layers.output.items}}',
        database: '{{tasks.database.output}}',
        ignore: '{{plan.input.ignore}}',
      },
      code: `const ill = input.layers.filter(({ server, state }) => state !== 'ready' && !input.ignore.includes(server))
return { healthy: ill.length === 0, servers: input.layers.length, ill, database: input.database }`,
    },
  ],
})
