import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'review.change',
  title: 'Review a change',
  description: 'Reviews a change from several sides at once, throws out findings that do not hold, and gives one list.',
  parameters: z.strictObject({
    change: z.string().min(1).max(200_000).describe('Diff, or where it is'),
    sides: z
      .array(z.string().min(1).max(500))
      .min(1)
      .max(10)
      .default(['correctness', 'security', 'tests', 'simplicity'])
      .describe('What to look for'),
  }),
  tasks: [
    {
      key: 'look',
      kind: 'assistant',
      for_each: '{{plan.input.sides}}',
      instructions:
        'Review input.change for input.side alone. Complete with {findings: [{place, problem, severity}]}; none is a good answer.',
      input: { side: '{{item}}', change: '{{plan.input.change}}' },
    },
    {
      key: 'gather',
      kind: 'code',
      depends_on: ['look'],
      code: `const findings = input.look.flatMap(({ findings }) => findings).map((finding, id) => ({ id, ...finding }))
return { any: findings.length > 0, findings }`,
    },
    {
      key: 'verify',
      kind: 'assistant',
      depends_on: ['gather'],
      when: 'tasks.gather.output.any == true',
      instructions:
        'Try to refute each of input.findings in input.change. Complete with {holds: [id]}: those you could not refute.',
      input: { findings: '{{tasks.gather.output.findings}}', change: '{{plan.input.change}}' },
    },
    {
      key: 'report',
      kind: 'code',
      depends_on: ['gather', 'verify'],
      code: `const holds = new Set(input.verify?.holds ?? [])
const findings = input.gather.findings.filter(({ id }) => holds.has(id))
return { accept: findings.length === 0, findings, refuted: input.gather.findings.length - findings.length }`,
    },
  ],
})
