import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: 'Supervision',
  layer: 'L08',
  port: 8,
  summary: 'what a person decides: approvals of calls',
  instructions: [
    'Calls of registered tools that require an approval wait here for a person. list_approvals shows what waits, with the exact',
    'arguments; decide_approval approves or denies once, or approves other arguments instead. An approved call is carried out once,',
    'by itself, also after a restart; get_invocation on tool-execution has its result. Ask the person before you decide: the decision',
    'is recorded under the name of whoever calls.',
  ].join(' '),
})
