import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Invocation, InvocationId, InvocationStatus, shownInvocation } from '../schema.ts'

const DEAD = { background: true, closed_at: null, status: { in: ['failed', 'timed_out', 'unknown'] } }

/** Not read at all: of a page they may be megabytes. */
const LARGE = ['arguments', 'output', 'logs', 'caller']

export default defineTool({
  name: 'list_invocations',
  description:
    'Lists invocations, the latest first, without arguments, output and logs. For all of one, call get_invocation.',
  effect: 'read',
  input: {
    status: InvocationStatus.optional(),
    kind: z
      .enum(['tool', 'code', 'script', 'server_tool', 'capability', 'compensation', 'approval'])
      .optional()
      .describe('server_tool and capability: calls made by code'),
    tool: z.string().min(1).max(300).optional().describe('Name of the tool, or server.tool'),
    parent_invocation_id: InvocationId.optional(),
    run_id: z.string().min(1).max(200).optional().describe('Calls of this run'),
    task_id: z.string().min(1).max(200).optional().describe('Calls of this task'),
    dead_letters: z
      .boolean()
      .optional()
      .describe('Only failed or unknown background calls that nobody retried or discarded'),
    limit: z.int().min(1).max(200).default(50).describe('Most items of one page'),
    cursor: z.string().max(2000).optional().describe('next_cursor of the page before'),
  },
  output: { items: z.array(Invocation), next_cursor: z.string().nullable() },
  async run({ limit, cursor, dead_letters, ...wanted }, { tx }) {
    const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
    const filter = dead_letters === true ? { ...DEAD, ...given } : given
    const page = await listRecords(tx, 'invocation', { filter, sort: '-created_at', limit, cursor, omit: LARGE })
    return { items: page.items.map(shownInvocation), next_cursor: page.next_cursor }
  },
})
