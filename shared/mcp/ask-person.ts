import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { isStoryPortalError } from '../errors/index.ts'
import type { ToolBackend } from './backend.ts'
import type { HostCallOptions } from './host.ts'
import type { ToolOutcome } from './outcome.ts'

/** What the result of a tool has when a person must allow the call first, and under which key it is to be called again. */
const Parked = z.object({
  approval: z.object({
    id: z.string(),
    status: z.literal('pending'),
    question: z.string(),
    idempotency_key: z.string(),
  }),
})

/** Not signed: whoever changes it can do no more with it than by calling decide_approval and the tool with the same token. */
const State = z.object({ approval_id: z.string().max(100), idempotency_key: z.string().max(300) })
type State = z.output<typeof State>

const Answer = z.object({ decision: z.enum(['approve', 'deny']), note: z.string().max(2_000).optional() })

const FORM = {
  type: 'object' as const,
  properties: {
    decision: { type: 'string' as const, enum: ['approve', 'deny'], title: 'Decision' },
    note: { type: 'string' as const, title: 'Note', description: 'Why; whoever asked reads it', maxLength: 2_000 },
  },
  required: ['decision'],
}

/** A client that says nothing of the kinds of elicitation knows forms, as it was before there were two. */
export function canBeAsked(elicitation: unknown): boolean {
  if (typeof elicitation !== 'object' || elicitation === null) return false
  return 'form' in elicitation || !('url' in elicitation)
}

/** The question to the client's person; undefined where there is none, or the client can not ask it. */
export function questionTo(
  server: Server,
  ctx: ServerContext,
  { args, value, isError }: ToolOutcome & { args: unknown },
): InputRequiredResult | undefined {
  const parked = isError ? undefined : Parked.safeParse(value)
  // Whoever called in the background does not wait, for people neither.
  const background = (args as { mode?: unknown } | undefined)?.mode === 'background'
  if (!parked?.success || background || !canBeAsked(elicitationOf(server, ctx))) return undefined
  const { id, question, idempotency_key } = parked.data.approval
  const state: State = { approval_id: id, idempotency_key }
  return inputRequired({
    inputRequests: {
      decision: inputRequired.elicit({ message: `May this be done? ${question}`, requestedSchema: FORM }),
    },
    requestState: JSON.stringify(state),
  })
}

/** A client since 2026-07-28 says it with each request, the ones before said it once. */
function elicitationOf(server: Server, ctx: ServerContext): unknown {
  const envelope = ctx.mcpReq.envelope as Record<string, { elicitation?: unknown } | undefined> | undefined
  return (envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities())?.elicitation
}

export interface Answered {
  /** The same call again, which now gets its outcome, or how it stands. */
  args: unknown
  /** False when the person did not decide: they are not asked again. */
  decided: boolean
}

/** Carries out what the client's person decided; undefined for a call that answers no question. */
export async function takeAnswer(
  backend: ToolBackend,
  ctx: ServerContext,
  { args, options }: { args: unknown; options: HostCallOptions },
): Promise<Answered | undefined> {
  const state = stateOf(ctx)
  if (state === undefined) return undefined
  const { approval_id, idempotency_key } = state
  const again = { ...(args as object | undefined), idempotency_key }
  const view = inputResponse(ctx.mcpReq.inputResponses, 'decision')
  const answer = view.kind === 'elicit' && view.action === 'accept' ? Answer.safeParse(view.content) : undefined
  if (!answer?.success) return { args: again, decided: false }
  try {
    await backend.callOther?.('supervision', 'decide_approval', { approval_id, ...answer.data }, options)
  } catch (error) {
    // Decided elsewhere meanwhile, or not this caller's to decide: the call says how it stands.
    if (!isStoryPortalError(error)) throw error
    return { args: again, decided: false }
  }
  return { args: again, decided: true }
}

function stateOf(ctx: ServerContext): State | undefined {
  const given: unknown = ctx.mcpReq.requestState<unknown>()
  if (given === undefined) return undefined
  try {
    return State.parse(JSON.parse(String(given)))
  } catch {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'requestState is not what this server gave out')
  }
}
