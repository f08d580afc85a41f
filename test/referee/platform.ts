import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { ServerManifest } from '@story-portal/shared/mcp'
import { manifests, mcpJson, root, underTest } from '../e2e/under-test.ts'
import type { Target, Transport } from './client.ts'

/** A running platform of the referees' own, and where its servers are. */
export interface Platform {
  servers: readonly ServerManifest[]
  token: string
  /** What a stdio entry needs to find this platform. */
  settings: Record<string, string>
  port(server: ServerManifest): number
  target(server: ServerManifest, transport: Transport): Target
  close(): Promise<void>
}

/** Starts a platform on a data directory and ports that nobody else has; `close` leaves neither processes nor files. */
export async function startPlatform(): Promise<Platform> {
  const it = await underTest()
  const up = await it.cli('up', '--json')
  if (up.code !== 0) {
    await it.dispose()
    throw new Error(`the platform did not start: ${up.stderr || up.stdout}`)
  }
  const token = readFileSync(path.join(it.home, 'token'), 'utf8').trim()
  const port = (server: ServerManifest) => it.base + server.port
  return {
    servers: manifests(),
    token,
    settings: { STORY_PORTAL_HOME: it.home, STORY_PORTAL_PORT_BASE: String(it.base) },
    port,
    target(server, transport) {
      const entry = mcpJson()[server.name]
      if (!entry) throw new Error(`.mcp.json has no ${server.name}`)
      return {
        server: server.name,
        transport,
        stdio: { ...entry, cwd: root, env: it.env },
        url: `http://127.0.0.1:${port(server)}/${transport === 'sse' ? 'sse' : 'mcp'}`,
        headers: { Authorization: `Bearer ${token}` },
      }
    },
    async close() {
      await it.dispose()
      const left = it.processes()
      if (left.length > 0) throw new Error(`processes of the platform are left: ${left.join(', ')}`)
    },
  }
}
