import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: 'Planning',
  layer: 'L05',
  port: 5,
  summary: 'goals, plans, task claiming by assistants',
  instructions: [
    'Turns a goal into a plan of tasks that survives restarts and runs every step exactly once.',
    'Order of work: create_goal; create_plan with your own tasks (validate_plan first when unsure); run_plan; then claim_task and',
    'complete_task until the plan ends; get_plan shows where it stands.',
    'A task has a key, a kind and depends_on. Kinds: code (JavaScript body of an async function, input in scope, return the result),',
    'tool (a registered tool by name, or a platform tool as server.tool), assistant (waits for you in claim_task).',
    'Bind outputs in input with {{tasks.<key>.output.<path>}}; a dependency is needed for every binding. when is a condition: false',
    'skips the task. retry repeats a failed task, for_each makes one task per element of a list.',
    'A claimed task has a lease: extend_task_lease while you work, complete_task or fail_task with its lease_token before it ends;',
    'otherwise the task goes to the next worker and your result is refused.',
  ].join(' '),
})
