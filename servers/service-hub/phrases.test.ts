import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

/** What a person would type, and the tool that should be among the first three. */
const PHRASES: [string, string][] = [
  ['make a plan', 'create_plan'],
  ['new goal', 'create_goal'],
  ['set an objective', 'create_goal'],
  ['change the title of a goal', 'update_goal'],
  ['show all goals', 'list_goals'],
  ['what goals are there', 'list_goals'],
  ['start the plan', 'run_plan'],
  ['execute a plan', 'run_plan'],
  ['stop a plan', 'cancel_plan'],
  ['hold the plan for a while', 'pause_plan'],
  ['check my plan for mistakes', 'validate_plan'],
  ['change a plan that is running', 'revise_plan'],
  ['progress of the plan', 'get_plan'],
  ['pick the next task', 'claim_task'],
  ['finish a task', 'complete_task'],
  ['mark a task as done', 'complete_task'],
  ['report that a task went wrong', 'fail_task'],
  ['I need more time for my task', 'extend_task_lease'],
  ['run javascript', 'run_code'],
  ['execute some code', 'run_code'],
  ['save a script as a tool', 'register_tool'],
  ['call a registered tool', 'invoke_tool'],
  ['does this code parse', 'check_code'],
  ['what happened', 'list_events'],
  ['event log', 'list_events'],
  ['remove a record', 'delete_record'],
  ['undelete a record', 'restore_record'],
  ['who changed this record', 'get_record_history'],
  ['find records', 'list_records'],
  ['change a setting', 'set_configuration'],
  ['read the settings', 'get_configuration'],
  ['is the database healthy', 'get_data_health'],
  ['stop a run', 'cancel_run'],
  ['arguments of a tool', 'get_tool_definition'],
  ['which workflows are there', 'list_workflows'],
  ['run a recipe', 'run_workflow'],
]

/** Not found among three: nothing in them says that something is to be made, and all tools of plans fit as well. */
const BEYOND_WORDS: [string, string][] = [
  ['plan my work', 'create_plan'],
  ['break a goal into steps', 'create_plan'],
]

test('what people say finds the tool they mean among the first three', async () => {
  const { call } = await open('service-hub', { with: ['data', 'planning', 'runtime', 'tool-execution'] })
  const missed: unknown[] = []
  for (const [query, wanted] of PHRASES) {
    const { items } = await call('search_tools', { query, limit: 3 })
    const found = items.map(({ tool }: { tool: string }) => tool)
    if (!found.includes(wanted)) missed.push({ query, wanted, found })
  }
  expect(missed).toEqual([])
  for (const [query, wanted] of BEYOND_WORDS) {
    const { items } = await call('search_tools', { query, limit: 10 })
    expect(items.map(({ tool }: { tool: string }) => tool)).toContain(wanted)
  }
})
