import path from 'node:path'
import { plainEnv, run } from '../e2e/under-test.ts'
import type { Target, Transport } from './client.ts'
import type { Platform } from './platform.ts'
import { type Row, type Wish, wanted } from './row.ts'

const BIN = path.join(import.meta.dirname, 'node_modules/.bin/mcp-inspector')
const TRANSPORTS: Transport[] = ['stdio', 'http', 'sse']

/** The Inspector lists every server's tools and lints their schemas; a warning is a finding too. */
export async function judgeInspector(platform: Platform, wish: Wish): Promise<Row[]> {
  const rows: Row[] = []
  if (!wanted(wish.referees, 'inspector')) return rows
  for (const server of platform.servers.filter(({ name }) => wanted(wish.servers, name))) {
    for (const over of TRANSPORTS) {
      const where = reach(platform.target(server, over), platform.settings)
      const args = [BIN, '--cli', ...where, '--method', 'tools/list', '--strict', '--format', 'json']
      // Without a keychain it would say so; it has nothing to keep here.
      const outcome = await run(args, { ...plainEnv(), MCP_INSPECTOR_SECRET_STORE: 'memory' })
      const tools = (outcome.json?.result?.tools ?? outcome.json?.tools ?? []) as unknown[]
      const faults = findings(outcome.stderr)
      if (outcome.code !== 0) faults.push(`exit code ${outcome.code}: ${outcome.stderr.trim().slice(0, 500)}`)
      if (tools.length !== server.tools.length) faults.push(`${tools.length} of ${server.tools.length} tools listed`)
      rows.push({ referee: 'inspector', server: server.name, over, figures: `${tools.length} listed`, faults })
    }
  }
  return rows
}

function reach({ transport, stdio, url, headers }: Target, settings: Record<string, string>): string[] {
  if (transport === 'stdio') {
    const env = Object.entries(settings).flatMap(([key, value]) => ['-e', `${key}=${value}`])
    return [...env, stdio.command, ...stdio.args]
  }
  const given = Object.entries(headers).flatMap(([key, value]) => ['--header', `${key}: ${value}`])
  return [url, '--transport', transport, ...given]
}

/** `Warning: tool "x"` with its path and issue on the lines below. */
function findings(stderr: string): string[] {
  return stderr
    .split(/\n(?=(?:Warning|Error): tool )/)
    .filter((part) => /^(Warning|Error): tool /.test(part.trim()))
    .map((part) => part.trim().split('\n').slice(0, 3).join(' ').slice(0, 300))
}
