import { definePrompt } from '@story-portal/shared/mcp'

export default definePrompt({
  name: 'checkpoint',
  title: 'Save where the work stands',
  description: 'Compares what is saved of a task with what was done since, and saves the difference.',
  arguments: [{ name: 'task_id', description: 'tcx_...; default: the current task of the project.' }],
  read: { tool: 'get_unified_context', arguments: { task_id: '{task_id}' } },
  text: `This is what is saved of the task:

{result}

Save with one save_context_snapshot what is different now, and only that: the exact next action (a command or a file and what to do in
it), steps that are done, decisions with reasons, blockers, key files, tests with their last result. Empty what is not true any
more with null. Send the version above as expected_version; if the answer has a conflict, show both sides and ask. Then mark it with
create_checkpoint and say in two lines what was saved.`,
})
