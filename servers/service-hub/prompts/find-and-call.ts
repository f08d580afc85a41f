import { definePrompt } from '@story-portal/shared/mcp'

export default definePrompt({
  name: 'find_and_call',
  title: 'Find the right tool and use it',
  description: 'Finds the tools that fit a request, reads the arguments of the best one and calls it.',
  arguments: [{ name: 'request', description: 'What you want, in plain words.', required: true }],
  read: { tool: 'search_tools', arguments: { query: '{request}', limit: 5 } },
  text: `I want this done: {request}

These tools of the platform fit best:

{result}

Choose one, read its arguments with get_tool_definition, and call it with call_tool. If two fit equally, say which you took and
why. If none does, search once more with other words, and otherwise tell me that there is none. Ask before anything is deleted.`,
})
