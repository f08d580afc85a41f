import { finishTask } from '@story-portal/shared/engine'
import { safeText, toErrorBody } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { planningErrors } from '../errors.ts'
import { LeaseToken, TaskId, TaskResult } from '../schema.ts'
import { taskForClient } from '../view.ts'

export default defineTool({
  name: 'fail_task',
  description:
    'Records that a claimed task could not be done; its retry policy decides whether it is tried again. When it was done, call complete_task.',
  effect: 'update',
  input: {
    task_id: TaskId,
    lease_token: LeaseToken,
    error: z.unknown().describe('What went wrong: a text, or any JSON with a message'),
    retryable: z.boolean().default(true).describe('False when another try can not help'),
  },
  output: TaskResult,
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
