import { randomBytes } from 'node:crypto'
import { localUser, readToken } from '@story-portal/shared/auth'
import type { Config } from '@story-portal/shared/config'
import { isStoryPortalError } from '@story-portal/shared/errors'
import { readManifests, remoteServers } from '@story-portal/shared/mcp'
import { createLogger } from '@story-portal/shared/telemetry'
import { rootDir } from '../launch.js'
import { cliErrors } from './errors.ts'
import { homeFiles } from './home.ts'
import type { Output } from './output.ts'

interface Wanted {
  server: string
  tool: string
  /** JSON, or `-` for stdin. */
  text: string | undefined
  /** From flags; they win over the JSON. */
  fields?: Record<string, unknown>
}

/** `story-portal call`: prints the structured result of one tool. */
export async function runCall(out: Output, config: Config, wanted: Wanted): Promise<void> {
  const args = { ...(await readArguments(wanted.text)), ...wanted.fields }
  const result = await callTool(config, wanted.server, wanted.tool, args, (message) => out.progress(message))
  out.result(result, JSON.stringify(result, null, 2))
}

/** One call to the running platform as the local user; rejects with a StoryPortalError that carries its correlation id. */
export async function callTool(
  config: Config,
  server: string,
  tool: string,
  args: Record<string, unknown>,
  onProgress: (message: string) => void = () => undefined,
): Promise<Record<string, unknown>> {
  const token = readToken(homeFiles(config.home).token)
  if (token === undefined) throw cliErrors.notRunning({ home: config.home })
  const log = createLogger({ name: 'cli', level: 'silent', destination: { write: () => undefined } })
  const manifests = await readManifests(rootDir)
  const servers = remoteServers({ config, manifests, credentials: { token }, log })
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  try {
    return await servers.call(server, tool, args, {
      caller: localUser({ surface: 'cli', name: 'story-portal', cwd: process.cwd() }),
      correlation_id: `cli_${randomBytes(10).toString('hex')}`,
      signal: stop.signal,
      onProgress: ({ progress, total, message }) =>
        onProgress(`${message ?? `${progress}${total ? ` of ${total}` : ''}`} ...`),
    })
  } catch (error) {
    // "Not reachable" on this machine means that nobody started it: say so.
    throw isStoryPortalError(error) && error.number === 'E0912' && config.urls[server] === undefined
      ? cliErrors.notRunning({ home: config.home })
      : error
  } finally {
    process.off('SIGINT', interrupt)
  }
}

async function readArguments(text: string | undefined): Promise<Record<string, unknown>> {
  if (text === undefined) return {}
  const json = text === '-' ? await readStdin() : text
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw cliErrors.badJson({ reason: (error as SyntaxError).message })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw cliErrors.badJson({ reason: 'they must be an object.' })
  }
  return value as Record<string, unknown>
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
