import { z } from 'zod'
import { defineTemplate } from '../template.ts'

export default defineTemplate({
  name: 'ask_each',
  description: 'Assistants answer every question, each claimed on its own; then one of them combines the answers.',
  parameters: z.strictObject({
    questions: z.array(z.string().min(1).max(10_000)).min(1).max(200).describe('One task each'),
    combine: z.string().min(1).max(10_000).describe('What to make of the answers'),
  }),
  tasks: [
    {
      key: 'answer',
      kind: 'assistant',
      for_each: '{{plan.input.questions}}',
      instructions: 'Answer input.question. Complete with {answer, sources}.',
      input: { question: '{{item}}' },
    },
    {
      key: 'combine',
      kind: 'assistant',
      depends_on: ['answer'],
      instructions: 'Do what input.combine asks with input.answers, in the order of input.questions.',
      input: {
        combine: '{{plan.input.combine}}',
        questions: '{{plan.input.questions}}',
        answers: '{{tasks.answer.output}}',
      },
    },
  ],
})
