import { defineServer } from '@story-portal/shared/mcp'

export default defineServer({
  title: 'Data',
  layer: 'L01',
  port: 1,
  summary: 'records, event log, time travel, configuration',
  instructions: [
    'Keeps every record of the platform and the log of every event. Kinds: agent, configuration, evaluation, feedback, goal,',
    'invocation, plan, run, session, task, tool. A record has an id, a version that counts its changes, and a',
    'stream <kind>/<id> in the log with one event per change: nothing changes without one.',
    'Read with get_record (as_of gives the state at a time or event position), list_records (filter, sort, query) and',
    'get_record_history. Change with update_record; send expected_version to be sure nobody changed it since you read it.',
    'Goals, plans, tasks, tools, runs and invocations have tools of their own on planning, runtime and tool-execution: use those to',
    'change them. append_event writes events of your own; list_events with after_position follows the log without gap or repeat.',
  ].join(' '),
})
