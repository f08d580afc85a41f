import { Agent, request } from 'node:http'

/** One HTTP request as it is sent: nothing is added but the Host, Content-Length and Authorization headers that are not given. */
export interface Case {
  name: string
  method?: string
  path?: string
  headers: readonly (readonly [name: string, value: string])[]
  body: string | Buffer
}

export interface Answer {
  status: number
  /** Name and value as sent, in order; without the date and what frames the body. */
  headers: string[]
  body: string
}

export interface Target {
  port: number
  token: string
}

const UNCOMPARED = new Set(['date', 'content-length', 'transfer-encoding'])
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Random on either server, and always of one length. */
const RANDOM = /cor_[0-9a-f]{24}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Sends a case and returns the answer, its random ids replaced. */
export function exchange({ port, token }: Target, sent: Case, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const given = new Set(sent.headers.map(([name]) => name.toLowerCase()))
    const headers = sent.headers.flat()
    if (!given.has('host')) headers.push('Host', `127.0.0.1:${port}`)
    if (!given.has('authorization')) headers.push('Authorization', `Bearer ${token}`)
    if (!given.has('content-length') && !given.has('transfer-encoding'))
      headers.push('Content-Length', String(Buffer.byteLength(sent.body)))
    const options = { port, agent, headers, method: sent.method ?? 'POST', path: sent.path ?? '/mcp', timeout: 20_000 }
    const req = request({ host: '127.0.0.1', ...options, ...(signal ? { signal } : {}) }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.once('error', reject)
      res.once('end', () => {
        const body = Buffer.concat(chunks).toString('utf8').replaceAll(RANDOM, 'random')
        resolve({ status: res.statusCode ?? 0, headers: compared(res.rawHeaders), body })
      })
    })
    req.once('timeout', () => req.destroy(new Error(`no answer to ${sent.name}`)))
    req.once('error', reject)
    req.end(sent.body)
  })
}

function compared(raw: readonly string[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    if (!UNCOMPARED.has(name)) lines.push(`${name}: ${raw[i + 1]}`.replaceAll(RANDOM, 'random'))
  }
  return lines
}
