import { definePrompt } from '@story-portal/shared/mcp'

export default definePrompt({
  name: 'handoff',
  title: 'Hand work over',
  description: 'Turns what is saved of a task into a note with which somebody else can go on.',
  arguments: [
    { name: 'to', description: 'Who goes on: a person, a role or another assistant.', required: true },
    { name: 'task_id', description: 'tcx_...; default: the current task of the project.' },
  ],
  read: { tool: 'get_unified_context', arguments: { task_id: '{task_id}' } },
  text: `This task goes over to {to}:

{result}

First save what is not in it yet with save_context_snapshot: the exact next action, blockers, decisions with their reasons, tests
with their last result. Then write the note for {to}, in at most twenty lines: goal, state, next action, what must not be changed,
what is in doubt, and the task's id and version. Nothing that is neither saved nor checked just now belongs in it.`,
})
