import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { installPackage } from '../../install-package.ts'

const HERE = path.join(import.meta.dirname, '../../upstreams')
const PROGRAM = path.join(HERE, 'node_modules/@modelcontextprotocol/server-memory/dist/index.js')

export interface MemoryResult {
  acknowledged: number
  /** Of the acknowledged, those that are there at the end. */
  kept: number
  twice: number
  readable: boolean
}

interface Assistant {
  client: Client
  pid: number
}

/**
 * The same work with @modelcontextprotocol/server-memory, as assistants use it: each session has a server process of its own over one file, saves an
 * entity at a time, all processes are killed in between, and each session starts its own again.
 */
export async function runMemoryServer(options: {
  sessions: number
  saves: number
  kills: number
}): Promise<MemoryResult> {
  await installPackage(HERE, (line) => process.stderr.write(`${line}\n`))
  const { sessions, saves, kills } = options
  const folder = mkdtempSync(path.join(os.tmpdir(), 'story-portal-memory-'))
  const file = path.join(folder, 'memory.jsonl')
  const alive = new Set<Assistant>()
  const acknowledged: string[] = []
  let killed = 0
  const killWhenDue = () => {
    if (acknowledged.length < Math.floor((sessions * saves * (killed + 1)) / (kills + 1)) || killed === kills) return
    killed += 1
    for (const { pid } of alive) process.kill(pid, 'SIGKILL')
  }
  const session = async (s: number) => {
    let mine = await start(file, alive)
    for (let n = 0; n < saves; n++) {
      const name = `s${s}-${n}`
      let saved = await remember(mine.client, name)
      // A file that it can not read any more is refused for ever.
      for (let tries = 1; !saved && tries < 3; tries++) {
        await end(mine, alive)
        mine = await start(file, alive)
        saved = await remember(mine.client, name)
      }
      if (saved) acknowledged.push(name)
      killWhenDue()
    }
    await end(mine, alive)
  }
  try {
    await Promise.all(Array.from({ length: sessions }, (_, s) => session(s)))
    return { acknowledged: acknowledged.length, ...(await found(file, alive, acknowledged)) }
  } finally {
    for (const one of alive) await end(one, alive)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Whether it was acknowledged. */
async function remember(client: Client, name: string): Promise<boolean> {
  const entities = [{ name, entityType: 'step', observations: ['done'] }]
  return client.callTool({ name: 'create_entities', arguments: { entities } }).then(
    ({ isError }) => isError !== true,
    () => false,
  )
}

async function start(file: string, alive: Set<Assistant>): Promise<Assistant> {
  const client = new Client({ name: 'memory', version: '1' }, { versionNegotiation: { mode: 'legacy' } })
  const env = { PATH: process.env['PATH'] ?? '', MEMORY_FILE_PATH: file }
  const transport = new StdioClientTransport({ command: process.execPath, args: [PROGRAM], env, stderr: 'ignore' })
  await client.connect(transport)
  const started = { client, pid: transport.pid ?? 0 }
  alive.add(started)
  return started
}

async function end(one: Assistant, alive: Set<Assistant>): Promise<void> {
  alive.delete(one)
  await one.client.close().catch(() => {})
}

async function found(file: string, alive: Set<Assistant>, acknowledged: readonly string[]) {
  const reader = await start(file, alive)
  const answer = await reader.client.callTool({ name: 'read_graph', arguments: {} })
  await end(reader, alive)
  if (answer.isError) return { kept: 0, twice: 0, readable: false }
  const { entities } = answer.structuredContent as { entities: { name: string }[] }
  const times = new Map<string, number>()
  for (const { name } of entities) times.set(name, (times.get(name) ?? 0) + 1)
  const kept = acknowledged.filter((name) => times.has(name)).length
  return { kept, twice: [...times.values()].filter((n) => n > 1).length, readable: true }
}
