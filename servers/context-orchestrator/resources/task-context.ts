import { defineResource } from '@story-portal/shared/mcp'

export default defineResource({
  name: 'task_context',
  title: 'Saved context of a task',
  description: 'What is saved of a task, with its links and with what has changed in its project since.',
  uri: 'context://{project}/{task_id}',
  mime_type: 'application/json',
  read: { tool: 'get_unified_context', arguments: { task_id: '{task_id}', project: '{project}' } },
  list: { tool: 'list_task_contexts', title: 'title' },
})
