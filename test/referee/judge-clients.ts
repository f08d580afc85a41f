import { readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ServerManifest } from '@story-portal/shared/mcp'
import { callsOf, inOrder, judge, type Made } from './calls.ts'
import type { RefereeClient, Session, Target } from './client.ts'
import type { Platform } from './platform.ts'
import { type Row, type Wish, wanted } from './row.ts'

const FOLDER = path.join(import.meta.dirname, 'clients')
/** A client that never answers is a fault of that pair, not the end of the run. */
const PATIENCE_MS = 60_000

/** The folder is the registry: a file is a client, its name the referee's. */
export function clientNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()
}

/** Every wanted client lists and calls tools on every server over every transport it speaks. */
export async function judgeClients(platform: Platform, wish: Wish): Promise<Row[]> {
  const rows: Row[] = []
  for (const referee of clientNames().filter((name) => wanted(wish.referees, name))) {
    const { default: client } = (await import(pathToFileURL(path.join(FOLDER, `${referee}.ts`)).href)) as {
      default: RefereeClient
    }
    for (const transport of client.transports) {
      const made: Made = {}
      // Planning is called whatever was asked for: others use what it made.
      for (const server of inOrder(platform.servers)) {
        if (server.name !== 'planning' && !wanted(wish.servers, server.name)) continue
        const target = platform.target(server, transport)
        rows.push({
          referee,
          server: server.name,
          over: transport,
          ...(await judgeServer(client, server, target, made)),
        })
      }
    }
  }
  return rows.filter((row) => wanted(wish.servers, row.server))
}

async function judgeServer(client: RefereeClient, server: ServerManifest, target: Target, made: Made) {
  const faults: string[] = []
  let figures = 'nothing'
  let session: Session | undefined
  try {
    session = await patiently('to connect', client.open(target))
    const listed = await patiently('the list', session.list())
    const missing = server.tools.filter(({ name }) => !listed.includes(name))
    if (missing.length > 0) faults.push(`not listed: ${missing.map(({ name }) => name).join(', ')}`)
    const calls = callsOf(server)
    for (const call of calls) {
      const answer = await patiently(call.tool, session.call(call.tool, call.args(made)))
      const fault = judge(call, answer, made)
      if (fault !== undefined) faults.push(fault)
    }
    figures = `${listed.length} listed, ${calls.length} called`
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error))
  }
  await session?.close().catch((error: unknown) => faults.push(`close: ${String(error)}`))
  return { figures, faults }
}

async function patiently<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited a minute for ${what}`)), PATIENCE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
