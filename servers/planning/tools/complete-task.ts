import { z } from 'zod'
import { finishTask } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { recordedOutput } from '../finished.ts'
import { LeaseToken, TaskId, TaskResult } from '../schema.ts'
import { taskForClient } from '../view.ts'

export default defineTool({
  name: 'complete_task',
  description:
    'Records the output of a claimed task and frees the tasks that wait for it. When the work could not be done, call fail_task.',
  effect: 'update',
  input: {
    task_id: TaskId,
    lease_token: LeaseToken,
    output: z.unknown().describe('Any JSON; later tasks bind to it'),
  },
  output: TaskResult,
  async run({ task_id, lease_token, output = null }, { tx }) {
    const recorded = await recordedOutput(tx, { task_id, lease_token, output })
    if (recorded) return { task: taskForClient(recorded) }
    const { task, plan } = await finishTask(tx, { task_id, lease_token, outcome: { status: 'completed', output } })
    return { task: taskForClient(task), plan_status: plan.status }
  },
})
