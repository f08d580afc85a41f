import { definePrompt } from '@story-portal/shared/mcp'

export default definePrompt({
  name: 'check_platform',
  title: 'Is the platform well?',
  description: 'Judges the state of every server and says what to do about those that are not ready.',
  read: { tool: 'list_layers' },
  text: `This is the state of every server of the platform now:

{result}

Say in at most five lines whether it is well. For each server that is not ready: what it is for, the reason it gives, and the next
thing to look at (get_data_health of data for the database, the log of the process otherwise). Change nothing.`,
})
