import { z } from 'zod'

export const TASK_KINDS = ['tool', 'model', 'agent', 'code', 'assistant', 'approval'] as const
export const MAX_TASKS = 10_000
export const MAX_FAN_OUT = 1_000

/** A key names a task inside bindings, so it is a path segment. */
const Key = z.string().regex(/^[A-Za-z_][\w-]{0,63}$/, 'must be a letter followed by up to 63 letters, digits, _ or -')
const Name = z.string().min(1).max(200)
const Milliseconds = z
  .int()
  .min(1)
  .max(30 * 24 * 3_600_000)

/** How often and how fast a failed task is tried again; waits are measured by the database's clock. */
export const RetryPolicy = z.strictObject({
  max_attempts: z.int().min(1).max(100).default(1),
  backoff_ms: z.int().min(0).max(86_400_000).default(1_000),
  factor: z.number().min(1).max(10).default(2),
  max_backoff_ms: z.int().min(0).max(86_400_000).default(300_000),
})

/** What undoes a finished task: one exactly-once call, bound to `{{task.output.*}}` and `{{task.input.*}}`. */
const Compensation = z.strictObject({
  tool: Name.optional(),
  version: z.string().max(100).optional(),
  code: z.string().min(1).max(200_000).optional(),
  language: z.enum(['javascript', 'typescript']).optional(),
  input: z.json().optional(),
  permissions: z.json().optional(),
  limits: z.json().optional(),
  timeout_ms: Milliseconds.optional(),
  retry: RetryPolicy.optional(),
})

/** One step of a plan, as a client writes it. */
export const TaskDefinition = z.strictObject({
  key: Key,
  kind: z.enum(TASK_KINDS),
  name: Name.optional(),
  description: z.string().max(10_000).optional(),
  depends_on: z.array(z.string()).max(1_000).default([]),
  when: z.union([z.string(), z.boolean()]).optional(),
  for_each: z.union([z.string(), z.array(z.json())]).optional(),
  input: z.json().optional(),
  pass_outputs: z.boolean().optional(),
  retry: RetryPolicy.optional(),
  timeout_ms: Milliseconds.optional(),
  estimate_ms: z
    .int()
    .min(0)
    .max(30 * 24 * 3_600_000)
    .optional(),
  continue_on_failure: z.boolean().optional(),
  /** `tool`: by the code that the registered tool itself has for that. */
  compensate: z.union([z.literal('tool'), Compensation]).optional(),
  code: z.string().min(1).max(200_000).optional(),
  language: z.enum(['javascript', 'typescript']).optional(),
  tool: Name.optional(),
  version: z.string().max(100).optional(),
  permissions: z.json().optional(),
  limits: z.json().optional(),
  prompt: z.string().min(1).max(200_000).optional(),
  schema: z.json().optional(),
  model_policy: z.json().optional(),
  agent: Name.optional(),
  capabilities: z.array(z.string().min(1).max(100)).max(50).optional(),
  instructions: z.string().min(1).max(50_000).optional(),
  approvers: z.array(z.string().min(1).max(200)).max(50).optional(),
})

/** A plan, as a client writes it. */
export const PlanDefinition = z.strictObject({
  tasks: z.array(TaskDefinition).min(1),
  input: z.json().optional(),
  max_parallel: z.int().min(1).max(1_000).optional(),
})

export type TaskDefinitionInput = z.input<typeof TaskDefinition>
export type TaskDefinition = z.output<typeof TaskDefinition>
export type PlanDefinitionInput = z.input<typeof PlanDefinition>
export type PlanDefinition = z.output<typeof PlanDefinition>
export type RetryPolicy = z.output<typeof RetryPolicy>
export type TaskKind = (typeof TASK_KINDS)[number]

/** Fields that only some kinds have, and the one that a kind can't do without. */
export const KIND_FIELDS: Record<
  TaskKind,
  { needs?: 'code' | 'tool' | 'prompt' | 'agent'; allows: readonly string[] }
> = {
  code: { needs: 'code', allows: ['code', 'language', 'permissions', 'limits'] },
  tool: { needs: 'tool', allows: ['tool', 'version', 'permissions', 'limits'] },
  model: { needs: 'prompt', allows: ['prompt', 'schema', 'model_policy', 'limits'] },
  agent: { needs: 'agent', allows: ['agent', 'prompt', 'limits', 'permissions'] },
  assistant: { allows: ['capabilities', 'instructions', 'prompt'] },
  approval: { allows: ['approvers', 'instructions', 'prompt'] },
}

/** Fields that belong to a kind and are refused on the others. */
export const KIND_ONLY_FIELDS: ReadonlySet<string> = new Set(Object.values(KIND_FIELDS).flatMap((k) => k.allows))

/** Milliseconds assumed for the critical path where the client gave no `estimate_ms`. */
export const DEFAULT_ESTIMATE_MS: Record<TaskKind, number> = {
  code: 200,
  tool: 1_000,
  model: 5_000,
  agent: 60_000,
  assistant: 60_000,
  approval: 3_600_000,
}
