import { hash, randomUUID } from 'node:crypto'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'

/** Calls that are listed with the result; more are counted. */
const LISTED = 100

export default defineTool({
  name: 'run_script',
  description:
    'Runs TypeScript that calls any tool as tools.<server>.<tool>(args) and returns its result: many calls for the price of one. Killed in the middle, it goes on where it was. For a single call, use call_tool.',
  effect: 'execute',
  transaction: false,
  mayAsk: true,
  openWorld: true,
  input: {
    code: z
      .string()
      .min(1)
      .max(262_144)
      .describe(
        'Body of an async function with input and tools; what it returns must be JSON. A - in a server name is written _.',
      ),
    language: z.enum(['typescript', 'javascript']).default('typescript').describe('Types are removed, not checked.'),
    input: z.unknown().optional().describe('Any JSON.'),
    limits: z
      .strictObject({ timeout_ms: z.int().min(1).optional(), memory_mb: z.int().min(8).optional() })
      .optional()
      .describe('Cut to those of this installation.'),
    mode: z.enum(['wait', 'background']).default('wait').describe('background: get_invocation has the outcome.'),
  },
  output: { calls: z.array(z.looseObject({})), invocation_id: z.string() },
  async run({ code, language, input, limits, mode }, ctx) {
    // A key of the caller's may be as long as keys can be, and must not meet one that it gave to run_code itself.
    const key = ctx.idempotency_key ?? `once/${randomUUID()}`
    const done = await ctx.call(
      'tool-execution',
      'run_code',
      {
        code,
        language,
        mode,
        // All that the caller may do, and not more: what it calls is checked as the caller's own call.
        permissions: { tools: ['*'] },
        repeatable: true,
        ...(input === undefined ? {} : { input }),
        ...(limits === undefined ? {} : { limits: defined(limits) }),
      },
      { onProgress: ctx.progress, idempotency_key: `script/${hash('sha256', key)}` },
    )
    const made = await ctx.call('tool-execution', 'list_invocations', {
      parent_invocation_id: done.invocation_id,
      limit: LISTED,
    })
    const calls = made.items.map(({ tool, status, id }: Record<string, unknown>) => ({
      tool,
      status,
      invocation_id: id,
    }))
    const asked = done.approval === undefined ? {} : { approval: { ...done.approval, idempotency_key: key } }
    return { ...done, ...asked, calls: calls.reverse() }
  },
})

/** An optional member that is left out is not there, for the tool that gets it. */
function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
