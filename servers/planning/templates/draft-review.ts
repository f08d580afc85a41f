import { z } from 'zod'
import { defineTemplate } from '../template.ts'

export default defineTemplate({
  name: 'draft_review',
  description:
    'An assistant drafts, another look reviews against criteria, then the draft is revised. All steps are claimed.',
  parameters: z.strictObject({
    brief: z.string().min(1).max(50_000).describe('What to write'),
    criteria: z.array(z.string().min(1).max(1000)).min(1).max(50).describe('What the review checks'),
  }),
  tasks: [
    {
      key: 'draft',
      kind: 'assistant',
      instructions: 'Write what input.brief asks for. Complete with {text}.',
      input: { brief: '{{plan.input.brief}}' },
    },
    {
      key: 'review',
      kind: 'assistant',
      depends_on: ['draft'],
      instructions:
        'Check input.draft against each of input.criteria. Complete with {findings: [{criterion, holds, note}]}.',
      input: { draft: '{{tasks.draft.output}}', criteria: '{{plan.input.criteria}}' },
    },
    {
      key: 'revise',
      kind: 'assistant',
      depends_on: ['draft', 'review'],
      instructions:
        'Correct input.draft by input.review; return it unchanged when everything holds. Complete with {text}.',
      input: { draft: '{{tasks.draft.output}}', review: '{{tasks.review.output}}' },
    },
  ],
})
