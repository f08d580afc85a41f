import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: 'Service hub',
  layer: 'L12',
  port: 12,
  summary: 'One small door to all tools: search, look up, call, script, run workflows.',
  instructions:
    'The one server to load when context is scarce: it reaches every tool of the platform. Search with search_tools in plain ' +
    'words, read the arguments with get_tool_definition, then run it with call_tool, or many of them in one run_script. ' +
    'list_workflows and run_workflow are ready-made plans. list_layers tells which parts are up. ' +
    'Results and errors of call_tool are those of the called tool, unchanged.',
})
