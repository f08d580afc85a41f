import { z } from 'zod'

/** Ids are checked for their prefix only, so that an id of another kind says so and an unknown one is NOT_FOUND. */
const id = (prefix: string, of: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[a-z0-9]{1,60}$`), `must be the id of a ${of}: ${prefix}_...`)
    .describe(`Id of the ${of}, ${prefix}_...`)

export const GoalId = id('gol', 'goal')
export const PlanId = id('pln', 'plan')
export const TaskId = id('tsk', 'task')

export const Title = z.string().trim().min(1).max(500).describe('What is to be reached, in a line')
export const Description = z.string().min(1).max(100_000).describe('More about it')
export const Constraints = z.unknown().describe('Limits to keep to; any JSON')
export const CompletesWith = z
  .enum(['plan', 'manual'])
  .describe('plan: ends with its plan (default). manual: by update_goal')
export const Labels = z.record(z.string(), z.unknown()).describe('Your own names and values')
export const GoalStatus = z.enum(['pending', 'active', 'completed', 'failed', 'cancelled'])
export const PlanStatus = z.enum(['draft', 'validated', 'executing', 'paused', 'completed', 'failed', 'cancelled'])
export const TaskStatus = z.enum([
  'pending',
  'ready',
  'blocked',
  'running',
  'waiting',
  'completed',
  'failed',
  'skipped',
  'cancelled',
])
export const Mode = z.enum(['wait', 'background'])
export const Reason = z.string().min(1).max(500).describe('Why; kept in the history')
export const Limit = z.int().min(1).max(200).default(50).describe('Most items of one page')
export const Cursor = z.string().max(2000).describe('next_cursor of the page before')
export const NextCursor = z.string().nullable()
export const LeaseToken = z.string().min(1).max(200).describe('lease_token from claim_task')
export const LeaseMs = z
  .int()
  .min(1000)
  .max(3_600_000)
  .describe('How long the task stays yours, counted from now; the platform default when absent')

const record = <S extends z.ZodRawShape>(shape: S) => z.looseObject({ id: z.string(), ...shape })
export const Goal = record({ status: z.string() })
export const Plan = record({ status: z.string() })
export const Task = record({ key: z.string(), status: z.string() })
export const TaskResult = { task: Task, plan_status: z.string().optional() }
