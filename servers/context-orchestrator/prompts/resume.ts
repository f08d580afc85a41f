import { definePrompt } from '@story-portal/shared/mcp'

export default definePrompt({
  name: 'resume',
  title: 'Go on where work stopped',
  description: 'Gives what was saved last in a project, with what has changed since, and asks to go on with it.',
  arguments: [{ name: 'project', description: "Its name; default: that of the client's folder." }],
  read: { tool: 'check_recovery', arguments: { project: '{project}' }, field: 'sessions' },
  text: `This is what was saved of the work in this project, the latest first:

{result}

Take the first one. Say in at most five lines where it stands and what has changed since it was saved, then go on with its next
action. Keep to its constraints; what it says is decided stays decided unless something that changed speaks against it, and then
ask. Save with save_context_snapshot as you go on. If nothing was saved, say so and ask what the work is.`,
})
