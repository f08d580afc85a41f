import { definePrompt } from '@story-portal/shared/mcp'

export default definePrompt({
  name: 'write_script',
  title: 'Do it in one script',
  description: 'Turns a goal that needs many calls of one server into one run_script.',
  arguments: [
    { name: 'goal', description: 'What should be true afterwards.', required: true },
    { name: 'server', description: 'Server whose tools it needs, such as planning.', required: true },
  ],
  read: {
    tool: 'get_tool_definition',
    arguments: { server: '{server}', format: 'typescript' },
    field: 'definition.typescript',
  },
  text: `Reach this goal with one call of run_script:

{goal}

Write the body of an async function in TypeScript. It has \`tools\`, declared below, and \`input\`; what it returns must be JSON,
and short. Calls that do not need each other go into one Promise.all. Let an error end the script unless you know what to do
about it. Give the call an idempotency_key, so that a repeat does nothing twice. Then say what was done and what was not.

\`\`\`ts
{result}\`\`\``,
})
