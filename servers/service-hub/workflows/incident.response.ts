import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'incident.response',
  title: 'Respond to an incident',
  description:
    'Gathers the state at once, finds the cause, mends it only if a person allows, and writes what happened.',
  parameters: z.strictObject({ symptom: z.string().min(1).max(10_000).describe('What is seen, since when') }),
  tasks: [
    { key: 'layers', kind: 'tool', tool: 'service-hub.list_layers', input: {} },
    { key: 'database', kind: 'tool', tool: 'data.get_data_health', input: {} },
    {
      key: 'diagnose',
      kind: 'assistant',
      depends_on: ['layers', 'database'],
      instructions: 'Find the cause of input.symptom; change nothing. Complete with {cause, evidence, fix, undo}.',
      input: {
        symptom: '{{plan.input.symptom}}',
        layers: '{{tasks.layers.output.items}}',
        database: '{{tasks.database.output}}',
      },
    },
    {
      key: 'approve',
      kind: 'approval',
      depends_on: ['diagnose'],
      prompt: 'May this fix be made?',
      // A no is an answer: the report says so.
      continue_on_failure: true,
      input: { found: '{{tasks.diagnose.output}}' },
    },
    {
      key: 'mend',
      kind: 'assistant',
      depends_on: ['diagnose', 'approve'],
      when: 'tasks.approve.output.approved == true',
      instructions:
        'Do input.found.fix, see whether the symptom is gone, else do input.found.undo. Complete with {gone, done}.',
      input: { found: '{{tasks.diagnose.output}}' },
    },
    {
      key: 'report',
      kind: 'code',
      depends_on: ['diagnose', 'approve', 'mend'],
      code: `const { cause, evidence } = input.diagnose
return { cause, evidence, approved_by: input.approve?.decided_by ?? null, solved: input.mend?.gone === true }`,
    },
  ],
})
