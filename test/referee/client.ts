export type Transport = 'stdio' | 'http' | 'sse'

/** Where one server is, in every way it can be reached; secrets are in `env` and `headers`. */
export interface Target {
  server: string
  transport: Transport
  stdio: { command: string; args: string[]; cwd: string; env: Record<string, string> }
  /** Of /mcp for http, of /sse for sse. */
  url: string
  headers: Record<string, string>
}

export interface Answer {
  isError: boolean
  /** The first text of the answer, which is the structured result or the error body as JSON. */
  text: string
}

/** One connection of somebody else's client to one server. */
export interface Session {
  list(): Promise<string[]>
  call(tool: string, args: Record<string, unknown>): Promise<Answer>
  close(): Promise<void>
}

/** What each file of clients/ exports by default: a client as its own users would set it up. */
export interface RefereeClient {
  transports: readonly Transport[]
  open(target: Target): Promise<Session>
}

/** The first text of a `tools/call` result. */
export function answerOf(result: unknown): Answer {
  const { content, isError } = result as { content?: { text?: string }[]; isError?: boolean }
  return { isError: isError ?? false, text: content?.[0]?.text ?? '' }
}
