import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePortBase } from '../../tools/cli/ports.ts'
import { manifests, plainEnv, root } from '../e2e/under-test.ts'

export interface PlatformProcess {
  /** For programs that look for this platform: the command line, the stdio entries. */
  env: Record<string, string>
  token: string
  port(server: string): number
  /** What it wrote to stderr; empty when all is well. */
  stderr(): string
  /** Undefined while it runs. */
  exitCode(): number | null | undefined
  rssBytes(): number
  /** Structured result of a tool that must succeed. */
  call(server: string, tool: string, args?: object): Promise<Record<string, unknown>>
  /** Position of the last event in the log: what it does not move has written nothing. */
  lastEvent(): Promise<string>
  close(): Promise<void>
}

/** All servers in one process of our own, without a supervisor that would hide a crash by a restart. */
export async function startPlatformProcess(): Promise<PlatformProcess> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'story-portal-protocol-'))
  const base = await freePortBase('127.0.0.1')
  const env = { ...plainEnv(), STORY_PORTAL_HOME: home, STORY_PORTAL_PORT_BASE: String(base) }
  const child = spawn(process.execPath, [path.join(root, 'tools/platform.ts')], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const stderr = collect(child)
  let exit: number | null | undefined
  child.once('exit', (code) => {
    exit = code
  })
  const started = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)])
  if (!started) throw new Error(`the platform did not start: ${stderr()}`)
  const token = readFileSync(path.join(home, 'token'), 'utf8').trim()
  const ports = new Map(manifests().map(({ name, port }) => [name, base + port]))
  const port = (server: string) => ports.get(server) ?? 0

  const call: PlatformProcess['call'] = async (server, tool, args = {}) => {
    const response = await fetch(`http://127.0.0.1:${port(server)}/internal/call/${server}/${tool}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ arguments: args }),
    })
    const last = (await response.text()).trim().split('\n').at(-1) ?? ''
    const { result } = JSON.parse(last) as { result?: Record<string, unknown> }
    if (result === undefined) throw new Error(`${server}.${tool}: ${last}`)
    return result
  }
  return {
    env,
    token,
    port,
    stderr,
    exitCode: () => exit,
    rssBytes: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    call,
    async lastEvent() {
      let after: string | undefined
      for (;;) {
        const page = { limit: 200, ...(after === undefined ? {} : { after_position: after }) }
        const { items } = (await call('data', 'list_events', page)) as { items: { position: string }[] }
        if (items.length === 0) return after ?? 'none'
        after = items.at(-1)?.position
      }
    },
    async close() {
      if (exit === undefined) child.kill('SIGTERM')
      const ended = once(child, 'exit').then(() => true)
      if (exit === undefined && !(await Promise.race([ended, sleep(20_000).then(() => false)]))) child.kill('SIGKILL')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function collect(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-20_000)
  })
  return () => text
}
