import { randomUUID } from 'node:crypto'
import { z } from 'zod'

/** What a client of the 2025 protocols said of itself when it began, as far as a later request needs it. */
export interface ClientSession {
  /** The whole header: keeps one client's request ids apart from another's. */
  id: string
  initialize: z.output<typeof Initialize>
}

/**
 * The capabilities that a server may make use of by asking the client; what else the client can do is nothing to us. Elicitation
 * without a member means forms, as it did before there were two kinds.
 */
const Initialize = z.object({
  protocolVersion: z.string().max(40),
  capabilities: z.object({
    elicitation: z.object({ form: z.object({}).optional(), url: z.object({}).optional() }).optional(),
    sampling: z.object({ tools: z.object({}).optional(), context: z.object({}).optional() }).optional(),
    roots: z.object({}).optional(),
  }),
  clientInfo: z.object({ name: z.string().max(60), version: z.string().max(40) }),
})

const MAX_HEADER = 2_048

/**
 * The session id for the params of an `initialize` request: a random name, and what the client said, so that any process can
 * take up the session without having kept it. A client may change it: it then lies to nobody but itself.
 */
export function sessionId(params: unknown): string {
  const said = Initialize.safeParse(params)
  const name = randomUUID()
  return said.success ? `${name}.${Buffer.from(JSON.stringify(said.data)).toString('base64url')}` : name
}

/** The session that a request names; undefined when there is none, or one that says nothing of its client. */
export function readSession(header: string | string[] | undefined): ClientSession | undefined {
  if (typeof header !== 'string' || header.length > MAX_HEADER) return undefined
  const dot = header.indexOf('.')
  if (dot < 0) return undefined
  try {
    const said = Initialize.safeParse(JSON.parse(Buffer.from(header.slice(dot + 1), 'base64url').toString()))
    return said.success ? { id: header, initialize: said.data } : undefined
  } catch {
    return undefined
  }
}
