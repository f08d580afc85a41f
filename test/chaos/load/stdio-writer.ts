import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { type AnyClient, callOver } from '../../e2e/under-test.ts'
import type { Work } from './load.ts'

const PATIENCE_MS = 120_000

/** Goals over the stdio entry, as an editor would: a connection that breaks is opened again, and the same key sent again. */
export async function writeOverStdio(work: Work): Promise<void> {
  const line = new Line(work)
  try {
    for (let n = 1; !work.enough.aborted; n++) {
      const title = `over stdio ${n}`
      const id = await line.createGoal(title, `stdio-${n}`)
      if (id === undefined) return
      work.ledger.goals.set(id, title)
      await sleep(300)
    }
  } finally {
    await line.close()
  }
}

class Line {
  readonly #work: Work
  #client: AnyClient | undefined

  constructor(work: Work) {
    this.#work = work
  }

  /** The id, or undefined when the run was abandoned; throws when nothing was heard for two minutes. */
  async createGoal(title: string, idempotency_key: string): Promise<string | undefined> {
    const deadline = performance.now() + PATIENCE_MS
    let last = ''
    while (performance.now() < deadline && !this.#work.abandoned.aborted) {
      try {
        this.#client ??= await connect(this.#work)
        const call = callOver({ planning: this.#client })
        const { goal } = (await call('planning', 'create_goal', { title, idempotency_key })) as { goal: { id: string } }
        return goal.id
      } catch (error) {
        last = String(error)
        // An answer in the platform's words came over a line that works.
        if (!/"code":"[A-Z_]+"/.test(last)) await this.close()
        await sleep(200)
      }
    }
    if (this.#work.abandoned.aborted) return undefined
    throw new Error(`stdio got no answer for ${PATIENCE_MS / 1_000} s, last: ${last}`)
  }

  async close(): Promise<void> {
    await this.#client?.close().catch(() => {})
    this.#client = undefined
  }
}

async function connect({ tree, env }: Work): Promise<AnyClient> {
  const client = new Client({ name: 'chaos', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  const entry = { command: process.execPath, args: ['tools/mcp.js', 'planning'] }
  await client.connect(new StdioClientTransport({ ...entry, cwd: tree, env, stderr: 'ignore' }))
  return client as unknown as AnyClient
}
