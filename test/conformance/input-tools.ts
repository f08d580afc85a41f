import { randomBytes } from 'node:crypto'
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequests,
  inputRequired,
  inputResponse,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { type FixtureTool, text } from './fixture-tool.ts'

/** State goes through the client's hands: signed, and refused when it comes back changed. */
const codec = createRequestStateCodec<{ round: number }>({ key: randomBytes(32), ttlSeconds: 600 })

const form = (message: string, name: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] },
  })
const ask = (content: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: content } }], maxTokens })

/** Asks until every question has an answer of its kind; what else the client sends is not looked at. */
function once(requests: InputRequests, done: (ctx: ServerContext) => CallToolResult): FixtureTool['run'] {
  return async (_args, ctx) =>
    Object.keys(requests).every((key) => answered(ctx, key)) ? done(ctx) : inputRequired({ inputRequests: requests })
}

function answered(ctx: ServerContext, key: string): boolean {
  const view = inputResponse(ctx.mcpReq.inputResponses, key)
  return view.kind === 'elicit'
    ? acceptedContent(ctx.mcpReq.inputResponses, key) !== undefined
    : view.kind !== 'missing'
}

async function roundOf(ctx: ServerContext): Promise<number> {
  const state = ctx.mcpReq.requestState<unknown>()
  if (state === undefined) return 0
  try {
    return (await codec.verify(String(state), ctx)).round
  } catch {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'requestState is not what this server gave out')
  }
}

/** The same with signed state, one question per round. */
function inRounds(rounds: InputRequests[], done: string): FixtureTool['run'] {
  return async (_args, ctx) => {
    const round = await roundOf(ctx)
    const asked = round === 0 ? undefined : rounds[round - 1]
    const next = asked === undefined || Object.keys(asked).every((key) => answered(ctx, key)) ? round : round - 1
    const inputRequests = rounds[next]
    if (inputRequests === undefined) return text(done)
    return inputRequired({ inputRequests, requestState: await codec.mint({ round: next + 1 }, ctx) })
  }
}

function declared(ctx: ServerContext): Record<string, unknown> {
  const envelope = ctx.mcpReq.envelope as Record<string, Record<string, unknown> | undefined> | undefined
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {}
}

const name = form('What is your name?', 'name')
const confirm = inputRequired.elicit({
  message: 'Please confirm',
  requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
})

/** Tools that need the client's answer before they can finish. */
export const inputTools: Record<string, FixtureTool> = {
  test_input_required_result_elicitation: {
    description: 'Asks for a name.',
    run: once({ user_name: name }, ({ mcpReq }) =>
      text(`Hello, ${acceptedContent(mcpReq.inputResponses, 'user_name')?.['name']}!`),
    ),
  },
  test_input_required_result_sampling: {
    description: 'Asks the model.',
    run: once({ capital_question: ask('What is the capital of France?') }, ({ mcpReq }) =>
      text(JSON.stringify(mcpReq.inputResponses?.['capital_question'])),
    ),
  },
  test_input_required_result_list_roots: {
    description: 'Asks for roots.',
    run: once({ client_roots: inputRequired.listRoots() }, ({ mcpReq }) =>
      text(JSON.stringify(mcpReq.inputResponses?.['client_roots'])),
    ),
  },
  test_input_required_result_request_state: {
    description: 'Asks, with state.',
    run: inRounds([{ confirm }], 'state-ok'),
  },
  test_input_required_result_tampered_state: {
    description: 'Refuses changed state.',
    run: inRounds([{ confirm }], 'state-ok'),
  },
  test_input_required_result_multiple_inputs: {
    description: 'Asks three things at once.',
    run: inRounds(
      [{ user_name: name, greeting: ask('Generate a greeting', 50), client_roots: inputRequired.listRoots() }],
      'all answered',
    ),
  },
  test_input_required_result_multi_round: {
    description: 'Asks twice.',
    run: inRounds(
      [
        { step1: form('Step 1: What is your name?', 'name') },
        { step2: form('Step 2: What is your favorite color?', 'color') },
      ],
      'both rounds answered',
    ),
  },
  test_input_required_result_capabilities: {
    description: 'Asks only what the client can answer.',
    async run(_args, ctx) {
      const can = declared(ctx)
      const inputRequests: InputRequests = {
        ...('elicitation' in can ? { user_name: name } : {}),
        ...('sampling' in can ? { greeting: ask('Generate a greeting', 50) } : {}),
      }
      return Object.keys(inputRequests).some((key) => !answered(ctx, key))
        ? inputRequired({ inputRequests })
        : text('ok')
    },
  },
  test_missing_capability: {
    description: 'Needs a client that can sample.',
    async run(_args, ctx) {
      if ('sampling' in declared(ctx)) return text('the client can sample')
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } })
    },
  },
  test_streaming_elicitation: {
    description: 'Asks for a name on a stream.',
    run: once({ user_name: name }, () => text('answered')),
  },
  test_custom_header: {
    description: 'Takes a region that the client repeats in a header.',
    inputSchema: {
      type: 'object',
      properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
      required: ['region'],
    },
    run: (args) => text(String(args['region'])),
  },
}

/** Asks for what a prompt needs. */
export function promptInput(ctx: ServerContext) {
  if (answered(ctx, 'user_context')) return undefined
  return inputRequired({
    inputRequests: { user_context: form('What context should the prompt use?', 'context') },
  })
}
