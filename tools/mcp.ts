/**
 * `node tools/mcp.js <server>`: one MCP server on stdin and stdout. What it offers is answered at once from the committed
 * tools.json. Embedded, the tools run in the platform of this home, which is started when it is not there; with DATABASE_URL
 * they run in this process.
 */
import { localUser } from '@story-portal/shared/auth'
import { ConfigError, loadConfig } from '@story-portal/shared/config'
import { serveStdio, type ToolBackend } from '@story-portal/shared/mcp'
import { createLogger } from '@story-portal/shared/telemetry'
import { NOT_INSTALLED, rootDir } from './launch.js'
import { committedServer, serverFolders } from './registry.ts'

const name = process.argv[2] ?? ''

try {
  await serve()
} catch (error) {
  const text = error instanceof ConfigError ? error.report() : error instanceof Error ? error.message : String(error)
  process.stderr.write(`story-portal: ${text}\n`)
  process.exit(error instanceof ConfigError ? NOT_INSTALLED : 1)
}

async function serve(): Promise<void> {
  const manifest = committedServer(name)
  if (!manifest) throw new Error(`There is no server "${name}". The servers are: ${serverFolders().join(', ')}.`)
  const config = loadConfig({ env: process.env, root: rootDir })
  // stdout is protocol only; what a client shows of stderr should be worth reading.
  const log = createLogger({ name: `stdio-${name}`, level: config.log.level === 'debug' ? 'debug' : 'warn' })
  const open: { backend: ToolBackend; close(): Promise<void> } =
    config.mode === 'embedded'
      ? (await import('./stdio/relay.ts')).relay(config, manifest, log)
      : (await import('./stdio/local.ts')).local(config, manifest, log)
  const caller = localUser({ surface: 'stdio', name: 'unknown', cwd: process.cwd() })
  const handle = serveStdio(open.backend, { caller, log, maxBytes: config.mcp.maxBodyBytes + 64 * 1024 })
  const end = () => {
    handle
      .close()
      .then(() => open.close())
      .finally(() => process.exit(0))
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  await handle.closed
  end()
}
