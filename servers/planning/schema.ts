import { z } from 'zod'

// Every client loads these words before it can call anything, so they are few; style and errors say the rest.

const id = (of: string) => z.string().max(64).describe(`${of} id`)

export const GoalId = id('goal')
export const PlanId = id('plan')
export const TaskId = id('task')

export const Title = z.string().trim().min(1).max(500).describe('A line')
export const Description = z.string().max(100_000).describe('More')
export const Json = z.unknown().describe('Any JSON')
export const CompletesWith = z.enum(['plan', 'manual'])
export const GoalStatus = z.enum(['pending', 'active', 'completed', 'failed', 'cancelled'])
/** The states are told by the refusal, not by the definition. */
const state = (...states: string[]) =>
  z
    .string()
    .max(20)
    .refine((name) => states.includes(name), `must be one of ${states.join(', ')}`)
    .describe('State')

export const StatusOfGoal = state(...GoalStatus.options)
export const StatusOfPlan = state('draft', 'validated', 'executing', 'paused', 'completed', 'failed', 'cancelled')
export const StatusOfTask = state(
  'pending',
  'ready',
  'blocked',
  'running',
  'waiting',
  'completed',
  'failed',
  'skipped',
  'cancelled',
)
export const Mode = z.enum(['wait', 'background'])
export const Reason = z.string().max(500).describe('Why')
export const Limit = z
  .int()
  .max(200)
  .refine((n) => n >= 1, 'must be at least 1')
  .default(50)
  .describe('Page size')
export const Cursor = z.string().max(2000).describe('next_cursor')
export const LeaseToken = z.string().max(200).describe('From claim_task')
export const LeaseMs = z
  .int()
  .max(3_600_000)
  .refine((ms) => ms >= 1000, 'must be at least 1000')
  .describe('From now')

// Results are open and every field is always there; saying so here for each would cost what the list of tools may cost.
const record = z.record(z.string(), z.unknown()).optional()
export const Goal = record
export const Plan = record
export const Task = record
export const List = z.array(z.unknown()).optional()
