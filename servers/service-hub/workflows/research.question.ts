import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'research.question',
  title: 'Answer a question from sources',
  description:
    'Splits a question, answers the parts side by side with sources, and joins them; parts without a source are named.',
  parameters: z.strictObject({ question: z.string().min(1).max(10_000).describe('What to find out') }),
  tasks: [
    {
      key: 'split',
      kind: 'assistant',
      instructions:
        'Split input.question into 1 to 8 questions that can be answered apart. Complete with {parts: [text]}.',
      input: '{{plan.input}}',
    },
    {
      key: 'find',
      kind: 'assistant',
      depends_on: ['split'],
      for_each: '{{tasks.split.output.parts}}',
      instructions:
        'Answer input.question from sources you have read. Complete with {question, answer, sources: [address]}.',
      input: { question: '{{item}}' },
    },
    {
      key: 'sort',
      kind: 'code',
      depends_on: ['find'],
      code: `const founded = input.find.filter(({ sources }) => sources.length > 0)
return { founded, open: input.find.filter(({ sources }) => sources.length === 0).map(({ question }) => question) }`,
    },
    {
      key: 'join',
      kind: 'assistant',
      depends_on: ['sort'],
      instructions: 'Answer input.question from input.founded alone, and name what is open. Complete with {text}.',
      input: {
        question: '{{plan.input.question}}',
        founded: '{{tasks.sort.output.founded}}',
        open: '{{tasks.sort.output.open}}',
      },
    },
    {
      key: 'report',
      kind: 'code',
      depends_on: ['sort', 'join'],
      code: `const sources = [...new Set(input.sort.founded.flatMap(({ sources }) => sources))]
return { text: input.join.text, sources, open: input.sort.open }`,
    },
  ],
})
