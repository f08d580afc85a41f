import { defineResource } from '@story-portal/shared/mcp'

export default defineResource({
  name: 'tool_types',
  title: 'Tools as TypeScript',
  description: 'TypeScript declarations of every tool of one server, as run_script calls them.',
  uri: 'story-portal://types/{server}',
  mime_type: 'text/x-typescript',
  read: {
    tool: 'get_tool_definition',
    arguments: { server: '{server}', format: 'typescript' },
    field: 'definition.typescript',
  },
  list: { tool: 'list_layers', title: 'summary' },
})
