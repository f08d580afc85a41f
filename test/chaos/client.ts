import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorBody } from '@story-portal/shared/errors'

export interface Row {
  [field: string]: unknown
}

/** A platform that has not answered a call for so long, repeated under its key, has lost it. */
const PATIENCE_MS = 120_000
const ANSWER_MS = 20_000
const PAUSE_MS = 100

/** What the platform refused in its own words. */
export class Refused extends Error {
  readonly body: ErrorBody['error']
  constructor(tool: string, body: ErrorBody['error']) {
    super(`${tool}: ${body.number} ${body.message}`)
    this.body = body
  }
}

/** Calls over plain HTTP, as any client could make them; what gets no answer is sent again under the same key. */
export class Client {
  /** Answers by number of error that a client should never meet, whatever breaks behind the platform. */
  readonly strange = new Map<string, number>()
  readonly #home: string
  readonly #ports: ReadonlyMap<string, number>
  #id = 0

  constructor(home: string, ports: ReadonlyMap<string, number>) {
    this.#home = home
    this.#ports = ports
  }

  /** Resolves with the structured result. Rejects with Refused, or an Error when nothing was heard for two minutes. */
  async call(server: string, tool: string, args: Row, key?: string): Promise<Row> {
    const given = key === undefined ? args : { ...args, idempotency_key: key }
    const deadline = performance.now() + PATIENCE_MS
    let last = ''
    while (performance.now() < deadline) {
      try {
        return await this.once(server, tool, given)
      } catch (error) {
        if (error instanceof Refused && !this.#mayPass(error)) throw error
        last = String(error)
      }
      await sleep(PAUSE_MS)
    }
    throw new Error(`${server}.${tool} got no answer for ${PATIENCE_MS / 1_000} s, last: ${last}`)
  }

  /** One request and no second. */
  async once(server: string, tool: string, args: Row, timeout_ms = ANSWER_MS): Promise<Row> {
    const token = readFileSync(`${this.#home}/token`, 'utf8').trim()
    this.#id += 1
    const response = await fetch(`http://127.0.0.1:${this.#ports.get(server)}/mcp`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', id: this.#id, method: 'tools/call' },
        params: { name: tool, arguments: args },
      }),
      signal: AbortSignal.timeout(timeout_ms),
    })
    return resultOf(`${server}.${tool}`, messageIn(await response.text()))
  }

  /** Every server says that it is ready. */
  async ready(): Promise<boolean> {
    const answers = [...this.#ports.values()].map(async (port) => {
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(1_000) })
      await answer.arrayBuffer()
      return answer.ok
    })
    return Promise.all(answers).then(
      (all) => all.every(Boolean),
      () => false,
    )
  }

  #mayPass({ body }: Refused): boolean {
    if (body.code === 'INTERNAL') this.strange.set(body.number, (this.strange.get(body.number) ?? 0) + 1)
    return ['UNAVAILABLE', 'LIMIT_EXCEEDED', 'INTERNAL'].includes(body.code)
  }
}

/** One JSON-RPC message, plain or as the last event of a stream. */
function messageIn(text: string): Row {
  const data = text.startsWith('{')
    ? text
    : (text
        .match(/^data: (\{.*)$/gm)
        ?.at(-1)
        ?.slice(6) ?? '')
  return JSON.parse(data) as Row
}

function resultOf(tool: string, message: Row): Row {
  if (message['error'] !== undefined) {
    const body = bodyIn((message['error'] as Row)['data'])
    if (body) throw new Refused(tool, body)
    throw new Error(JSON.stringify(message['error']))
  }
  const result = message['result'] as { isError?: boolean; structuredContent?: Row; content?: { text: string }[] }
  if (!result.isError) return result.structuredContent ?? {}
  const body = bodyIn(JSON.parse(result.content?.[0]?.text ?? '{}'))
  throw body ? new Refused(tool, body) : new Error(JSON.stringify(result.content))
}

function bodyIn(value: unknown): ErrorBody['error'] | undefined {
  return (value as Partial<ErrorBody> | undefined)?.error
}
