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
    'Kinds of task: code (JavaScript, the body of an async function: input is in scope, what it returns is the output, JSON only),',
    'tool (a registered tool by name, or a platform tool as server.tool; input is its arguments), assistant (waits in claim_task),',
    'approval (asks a person prompt; its output has the answer; denied, the task has failed).',
    'input binds outputs: {{tasks.<key>.output.<path>}}; every task bound to must be in depends_on or before it. Code and assistant',
    'tasks also get the outputs of their dependencies as input.<key>. when is a condition such as tasks.a.output.n > 3 and not',
    'plan.input.dry_run: false skips the task. for_each makes one task per element, with {{item}} and {{index}}; its output is the',
    'list of theirs. retry {max_attempts, backoff_ms, factor} repeats a failed task; continue_on_failure keeps its failure from',
    'ending the plan; compensate {tool or code, input}, or "tool" for what a registered tool has itself, undoes it when the plan fails. permissions {tools: ["data.append_event"]} let',
    'code call tools.data.append_event(...).',
    'Templates: create_plan with template "?" lists them; their parameters go into input.',
    'A claimed task has a lease: extend_task_lease while you work, complete_task or fail_task with its lease_token before it ends;',
    'otherwise the task goes to the next worker and your result is refused. run_plan waits and returns when only you can go on.',
  ].join(' '),
})
