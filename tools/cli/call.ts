import { randomBytes } from 'node:crypto'
import { localUser, readToken } from '@story-portal/shared/auth'
import type { Config } from '@story-portal/shared/config'
import { isStoryPortalError } from '@story-portal/shared/errors'
import { readManifests, remoteServers, type ServerManifest, suggest } from '@story-portal/shared/mcp'
import { createLogger } from '@story-portal/shared/telemetry'
import { rootDir } from '../launch.js'
import { cliErrors } from './errors.ts'
import { homeFiles } from './home.ts'
import type { Output } from './output.ts'
import { probe, serverUrl } from './platform-state.ts'
import { whereNotJson } from './where-not-json.ts'

const UNKNOWN_TOOL = 'E0009'
const UNREACHABLE = 'E0912'
const UNAUTHENTICATED = 'E0002'

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
  const manifests = await readManifests(rootDir)
  const manifest = manifests.find(({ name }) => name === server)
  if (!manifest) throw unknownServer(server, manifests)
  const token = readToken(homeFiles(config.home).token)
  if (token === undefined) throw cliErrors.notRunning({ home: config.home })
  const log = createLogger({ name: 'cli', level: 'silent', destination: { write: () => undefined } })
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
    throw await inPlainWords(error, { config, manifest, tool })
  } finally {
    process.off('SIGINT', interrupt)
  }
}

function unknownServer(server: string, manifests: readonly ServerManifest[]) {
  const names = manifests.map(({ name }) => name)
  const near = suggest(server, names)
  const hint = near === undefined ? {} : { hint: `Did you mean ${near}?` }
  return cliErrors.unknownServer({ server, servers: names.join(', ') }, hint)
}

/** What an answer means to the person at the command line, who may have mistyped a name or not started anything. */
async function inPlainWords(
  error: unknown,
  { config, manifest, tool }: { config: Config; manifest: ServerManifest; tool: string },
): Promise<unknown> {
  if (!isStoryPortalError(error)) return error
  const known = manifest.tools.some(({ name }) => name === tool)
  if (error.number === UNKNOWN_TOOL && !known) {
    return cliErrors.unknownTool({ server: manifest.name, tool }, { hint: error.hint })
  }
  if (config.urls[manifest.name] !== undefined) return error
  if (error.number === UNREACHABLE) return cliErrors.notRunning({ home: config.home })
  if (error.number !== UNAUTHENTICATED) return error
  const url = serverUrl(config, manifest)
  const { home } = await probe(url)
  if (home === undefined || home === config.home) return error
  const hint = `At ${url} the platform of ${home} answers: set STORY_PORTAL_HOME to that directory, or start this one on other ports with STORY_PORTAL_PORT_BASE=${config.portBase + 1000} npm start.`
  return cliErrors.notRunning({ home: config.home }, { hint })
}

async function readArguments(text: string | undefined): Promise<Record<string, unknown>> {
  if (text === undefined) return {}
  const json = text === '-' ? await readStdin() : text
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw cliErrors.badJson({ reason: whereNotJson(json, error as SyntaxError) })
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
