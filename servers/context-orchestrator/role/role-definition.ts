import { z } from 'zod'
import { PARTS } from '../checkpoint.ts'
import { QUALITY_RULES } from './quality.ts'

const Part = z.enum(PARTS)
const Sentences = z.array(z.string().trim().min(1).max(300)).min(1).max(20)

/** A role as a file in roles/, or in `.story-portal/roles/` of a project, says it. */
export const RoleDefinition = z
  .strictObject({
    $schema: z.string().max(500).optional(),
    title: z.string().trim().min(1).max(100),
    purpose: z.string().trim().min(1).max(500).describe('One or two sentences'),
    needs: z
      .array(
        z.strictObject({
          part: Part,
          share: z.int().min(1).max(100).optional().describe('Percent of the budget that is kept for the part'),
        }),
      )
      .min(1)
      .max(PARTS.length)
      .describe(
        'Parts of a checkpoint that the role is given, the first needed first; shares are 100 at most together',
      ),
    must: Sentences,
    must_not: Sentences,
    hands_over: z.array(Part).min(1).max(PARTS.length).describe('Parts that must be there when it hands over'),
    gate: z
      .strictObject({
        min_score: z.int().min(0).max(100).describe('Score of checkpoint_quality that is enough'),
        blocking: z.array(z.enum(QUALITY_RULES)).max(QUALITY_RULES.length).describe('Rules that must have no finding'),
      })
      .describe('What its checkpoint must reach before it hands over'),
  })
  .superRefine(({ needs }, { addIssue }) => {
    const total = needs.reduce((sum, { share = 0 }) => sum + share, 0)
    if (total > 100) addIssue({ code: 'custom', path: ['needs'], message: `has shares of ${total} percent together` })
    for (const [i, { part }] of needs.entries())
      if (needs.findIndex((need) => need.part === part) < i)
        addIssue({ code: 'custom', path: ['needs', i, 'part'], message: 'is there already' })
  })
export type RoleDefinition = z.output<typeof RoleDefinition>

/** The same for editors and other programs. */
export const roleJsonSchema = (): object => z.toJSONSchema(RoleDefinition, { io: 'input' })
