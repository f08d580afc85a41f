import { z } from 'zod'

const line = z.string().min(1).max(2000)
const lines = z.array(line).max(500)

const parts = {
  goal: z.string().min(1).max(4000),
  constraints: lines,
  decisions: z
    .array(z.strictObject({ decision: line, reason: line.optional(), evidence: z.array(line).max(20).optional() }))
    .max(500),
  done_steps: lines,
  pending_steps: lines,
  next_action: z.string().min(1).max(4000),
  blockers: lines,
  open_approvals: lines,
  key_files: z
    .array(z.strictObject({ path: line, sha256: z.string().max(64).optional(), commit: z.string().max(64).optional() }))
    .max(500),
  tests: z.array(z.strictObject({ name: line, result: line })).max(500),
  locked_elements: z.array(z.strictObject({ element: line, reason: line.optional() })).max(500),
  notes: z.string().min(1).max(100_000),
}

/** What an assistant must know to go on with a task; a part that is empty is absent. */
export const Checkpoint = z.strictObject(parts).partial()
export type Checkpoint = z.output<typeof Checkpoint>
export type Part = keyof Checkpoint

/** A partial checkpoint; null empties a part. */
export const Updates = z
  .strictObject(Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.nullable()])) as Nullable)
  .partial()
export type Updates = z.output<typeof Updates>
type Nullable = { [P in keyof typeof parts]: z.ZodNullable<(typeof parts)[P]> }

/** Names of all parts, the most valuable first. */
export const PARTS: readonly Part[] = [
  'next_action',
  'blockers',
  'constraints',
  'goal',
  'open_approvals',
  'pending_steps',
  'locked_elements',
  'decisions',
  'tests',
  'key_files',
  'done_steps',
  'notes',
]

/** All of a checkpoint, as fit wants it. */
export const WHOLE = PARTS.map((part) => ({ part }))
