import { finishTask } from '@story-portal/shared/engine'
import { safeText, toErrorBody } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { planningErrors } from '../errors.ts'
import { Json, LeaseToken, Task, TaskId } from '../schema.ts'
import { taskForClient } from '../view.ts'

export default defineTool({
  name: 'fail_task',
  description: 'Records why a claimed task failed; it may be retried. If it was done, call complete_task.',
  effect: 'update',
  input: {
    task_id: TaskId,
    lease_token: LeaseToken,
    error: Json,
    retryable: z.boolean().default(true).describe('May be retried'),
  },
  output: { task: Task },
  async run({ task_id, lease_token, error, retryable }, { tx }) {
    const failure = planningErrors.reportedFailure({ message: messageOf(error) }, { details: { error } })
    const outcome = { status: 'failed', error: toErrorBody(failure).error, retryable } as const
    const { task, plan } = await finishTask(tx, { task_id, lease_token, outcome })
    return { task: taskForClient(task), plan_status: plan.status }
  },
})

function messageOf(error: unknown): string {
  if (typeof error === 'string') return safeText(error, 500)
  const message = (error as { message?: unknown } | null | undefined)?.message
  return typeof message === 'string' ? safeText(message, 500) : 'no message given'
}
