import type { Caller } from '../auth/index.ts'
import { errors, safeText, toErrorBody } from '../errors/index.ts'
import type { ToolBackend } from './backend.ts'
import type { HostCallOptions } from './host.ts'

/** Which generation of the protocol a request speaks: 2026-07-28 with its envelope, or an older one without. */
export type Era = 'modern' | 'legacy'

/**
 * What a call came to, in the form both ways of answering make their bytes from. An error is a result too, so that a model gets
 * to read it. Clients of the older era check `structuredContent` against the output schema even for errors and would replace ours
 * by a complaint about it; they get `text` alone.
 */
export interface ToolOutcome {
  /** `value` as JSON text. */
  text: string
  value: Record<string, unknown>
  isError: boolean
}

/** Runs a tool and never rejects: what JSON can't say (a BigInt, a cycle) is our internal error, as text and as value. */
export async function settle(
  backend: ToolBackend,
  tool: string,
  args: unknown,
  options: HostCallOptions & { correlation_id: string },
): Promise<ToolOutcome> {
  try {
    const value = await backend.call(tool, args ?? {}, options)
    return { value, text: toText(value), isError: false }
  } catch (error) {
    const value = { ...toErrorBody(error, options.correlation_id) }
    return { value, text: JSON.stringify(value), isError: true }
  }
}

function toText(value: Record<string, unknown>): string {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw errors.internal()
  return text
}

/** The caller with the name its client gave itself: untrusted text, shortened. */
export function namedBy(caller: Caller, name: string | undefined): Caller {
  return { ...caller, client: { ...caller.client, name: safeText(name ?? caller.client.name, 60) } }
}
