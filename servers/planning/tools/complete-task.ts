import { argumentsHash, completeTask } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { planningErrors } from '../errors.ts'
import { LeaseToken, TaskId, TaskResult } from '../schema.ts'
import { taskForClient } from '../view.ts'

export default defineTool({
  name: 'complete_task',
  description:
    'Records the output of a claimed task and frees the tasks that wait for it; the same again returns what was recorded. When the work could not be done, call fail_task.',
  effect: 'update',
  input: {
    task_id: TaskId,
    lease_token: LeaseToken,
    output: z.unknown().describe('Any JSON; later tasks bind to it'),
  },
  output: TaskResult,
  async run({ task_id, lease_token, output = null }, { tx }) {
    const { task, plan_status, repeated } = await completeTask(tx, { task_id, lease_token, output })
    if (repeated && argumentsHash(task.output) !== argumentsHash(output)) {
      throw planningErrors.outputDiffers({ task: task_id })
    }
    return { task: taskForClient(task), plan_status }
  },
})
