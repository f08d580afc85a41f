import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../e2e/under-test.ts'
import { type Answer, type Channel, type Era, type Rpc, rpc } from './channels.ts'
import { Inbox } from './inbox.ts'
import type { PlatformProcess } from './platform-process.ts'

/** What an older client says first. */
export const HELLO = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'protocol-test', version: '1' },
}

export interface StdioChannel extends Channel {
  readonly child: ChildProcess
  readonly stray: string[]
}

/** The entry of .mcp.json as a client starts it. A line on its stdout that is not JSON-RPC breaks the channel. */
export async function stdioChannel(platform: PlatformProcess, server: string, era: Era): Promise<StdioChannel> {
  const child = spawn('node', [path.join(root, 'tools/mcp.js'), server], {
    cwd: root,
    env: platform.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const inbox = new Inbox()
  createInterface({ input: child.stdout }).on('line', (line) => inbox.take(line))
  const write = (bytes: string | Buffer) => {
    child.stdin.write(bytes)
    child.stdin.write('\n')
  }
  const ask = (message: Rpc): Promise<Answer> => {
    const answer = inbox.of(message.id)
    write(JSON.stringify(message))
    return answer
  }
  const hello = era === 'legacy' ? rpc(era, 'hello', 'initialize', HELLO) : rpc(era, 'hello', 'server/discover')
  await ask(hello)
  return {
    name: `stdio ${era}`,
    era,
    child,
    stray: inbox.stray,
    ask,
    async next(bytes, { expectsMessage = true } = {}) {
      const answer = expectsMessage ? inbox.next() : Promise.resolve({ messages: [], text: '' })
      write(bytes)
      return answer
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.stdin.end()
      if (child.exitCode === null) await ended
    },
  }
}
