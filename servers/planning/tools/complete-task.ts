import { argumentsHash, completeTask } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { planningErrors } from '../errors.ts'
import { Json, LeaseToken, Task, TaskId } from '../schema.ts'
import { taskForClient } from '../view.ts'

export default defineTool({
  name: 'complete_task',
  description: 'Records the output of a claimed task. If it failed, call fail_task.',
  effect: 'update',
  input: {
    task_id: TaskId,
    lease_token: LeaseToken,
    output: Json,
  },
  output: { task: Task },
  async run({ task_id, lease_token, output = null }, { tx }) {
    const { task, plan_status, repeated } = await completeTask(tx, { task_id, lease_token, output })
    if (repeated && argumentsHash(task.output) !== argumentsHash(output)) {
      throw planningErrors.outputDiffers({ task: task_id })
    }
    return { task: taskForClient(task), plan_status }
  },
})
