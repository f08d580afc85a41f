import type { ServerManifest } from '@story-portal/shared/mcp'
import { harmlessTool } from '../e2e/under-test.ts'
import type { Answer } from './client.ts'

type Args = Record<string, unknown>
/** What earlier calls of the same client answered, by tool name: a plan needs its goal. */
export type Made = Record<string, Args>

export interface Call {
  tool: string
  args: (made: Made) => Args
  /** The code an error must carry; without one the call must succeed. */
  error?: string
}

const goalOf = (made: Made) => (made['create_goal']?.['goal'] as Args | undefined)?.['id']
const planOf = (made: Made) => (made['create_plan']?.['plan'] as Args | undefined)?.['id']
const TASK = { key: 'judge', kind: 'assistant', instructions: 'Say whether it is short.' }

/** A read, a write and an error on every server that has them. Planning comes first: its run is what runtime cancels. */
const CALLS: Record<string, Call[]> = {
  planning: [
    { tool: 'create_goal', args: () => ({ title: 'A goal of a referee' }) },
    { tool: 'create_plan', args: (made) => ({ goal_id: goalOf(made), tasks: [TASK] }) },
    { tool: 'run_plan', args: (made) => ({ plan_id: planOf(made), mode: 'background' }) },
    { tool: 'list_goals', args: () => ({ limit: 1 }) },
    { tool: 'get_goal', args: () => ({ goal_id: 'gol_of_nobody' }), error: 'NOT_FOUND' },
  ],
  data: [
    { tool: 'append_event', args: () => ({ stream: 'referee/calls', type: 'referee.called', data: [1, 'two'] }) },
    { tool: 'list_events', args: () => ({ stream: 'referee/calls', limit: 1 }) },
    { tool: 'get_record', args: () => ({ kind: 'goal', id: 'gol_of_nobody' }), error: 'NOT_FOUND' },
  ],
  runtime: [
    { tool: 'list_runs', args: () => ({ limit: 1 }) },
    { tool: 'cancel_run', args: (made) => ({ run_id: made['run_plan']?.['run_id'] }) },
    { tool: 'get_run', args: () => ({ run_id: 'run_nobody' }), error: 'NOT_FOUND' },
  ],
  'tool-execution': [
    { tool: 'run_code', args: () => ({ code: 'return input.a * 7', input: { a: 6 } }) },
    { tool: 'list_invocations', args: () => ({ limit: 1 }) },
    { tool: 'get_invocation', args: () => ({ invocation_id: 'inv_nobody' }), error: 'NOT_FOUND' },
  ],
  'service-hub': [
    { tool: 'search_tools', args: () => ({ query: 'create a goal' }) },
    {
      tool: 'call_tool',
      args: () => ({ server: 'planning', tool: 'create_goal', arguments: { title: 'Through the hub' } }),
    },
    { tool: 'get_tool_definition', args: () => ({ server: 'planning', tool: 'no_such_tool' }), error: 'NOT_FOUND' },
  ],
  supervision: [
    { tool: 'list_approvals', args: () => ({ limit: 1 }) },
    { tool: 'decide_approval', args: () => ({ approval_id: 'apr_nobody', decision: 'deny' }), error: 'NOT_FOUND' },
  ],
  'context-orchestrator': [
    { tool: 'save_context_snapshot', args: () => ({ project: 'referee', updates: { next_action: 'Judge.' } }) },
    { tool: 'get_unified_context', args: () => ({ project: 'referee' }) },
    {
      tool: 'rollback_to',
      args: () => ({ project: 'referee', target: { type: 'version', version: 99 } }),
      error: 'NOT_FOUND',
    },
    { tool: 'create_task_context', args: () => ({ project: 'referee', title: 'Judge again' }) },
    { tool: 'list_task_contexts', args: () => ({ project: 'referee' }) },
    { tool: 'get_unified_context', args: () => ({ task_id: 'tcx_nobody' }), error: 'NOT_FOUND' },
  ],
}

/** Servers in the order in which a client calls them. */
export function inOrder(servers: readonly ServerManifest[]): ServerManifest[] {
  return [...servers].sort((a, b) => Number(b.name === 'planning') - Number(a.name === 'planning') || a.port - b.port)
}

/** The calls of a server; one that nobody wrote calls for gets what its definitions allow: a harmless read and a wrong field. */
export function callsOf(manifest: ServerManifest): Call[] {
  const written = CALLS[manifest.name]
  if (written) return written
  const read = harmlessTool(manifest)
  const wrong = manifest.tools[0]?.name ?? ''
  return [
    ...(read === undefined ? [] : [{ tool: read, args: () => ({}) }]),
    { tool: wrong, args: () => ({ no_such_field: 1 }), error: 'INVALID_INPUT' },
  ]
}

/** What is wrong with an answer, or undefined; a right one is kept for the calls after it. */
export function judge(call: Call, answer: Answer, made: Made): string | undefined {
  let body: Args
  try {
    body = JSON.parse(answer.text) as Args
  } catch {
    return `${call.tool}: the answer is not JSON: ${answer.text.slice(0, 200)}`
  }
  const code = (body['error'] as Args | undefined)?.['code']
  if (answer.isError !== (call.error !== undefined) || code !== call.error) {
    return `${call.tool}: expected ${call.error ?? 'a result'}, got ${answer.text.slice(0, 300)}`
  }
  made[call.tool] = body
  return undefined
}
