import {
  type CallToolResult,
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client'
import type { StoryPortalError } from '@story-portal/shared/errors'
import type { ProgressUpdate } from '@story-portal/shared/mcp'
import { faults } from '../errors.ts'
import type { GuardedFetch } from '../fetch/guarded-fetch.ts'
import { type Definition, definitionOf } from './definition.ts'
import { processTransport } from './process-transport.ts'
import type { Reaper } from './reaper.ts'
import { visibleText } from './suspicion.ts'

const CONNECT_MS = 30_000
/** A server of the old protocol may say nothing to the first question of the new one. */
const PROBE_MS = 3_000
const MAX_PAGES = 20

/** How an upstream is reached, with the credentials that its record only names. */
export type UpstreamTransport =
  | { type: 'stdio'; command: string; args: string[]; env: Record<string, string> }
  | { type: 'http'; url: string; headers: Record<string, string> }

export interface CallUpstream {
  signal: AbortSignal
  timeout_ms: number
  onProgress?: ((update: ProgressUpdate) => void) | undefined
}

/** One living connection to an upstream. */
export interface Connection {
  readonly open: boolean
  /** The tools it offers now; asks again after it said that they changed. */
  definitions(): Promise<ReadonlyMap<string, Definition>>
  call(tool: string, args: Record<string, unknown>, options: CallUpstream): Promise<CallToolResult>
  close(): Promise<void>
}

/** What a process reaches its upstreams by. */
export interface Ways {
  reaper: Reaper
  fetch: GuardedFetch
}

/** Connects in the newest protocol that both sides speak. Throws E3080 when there is no connection. */
export async function connect(name: string, to: UpstreamTransport, ways: Ways): Promise<Connection> {
  try {
    return await open(name, to, ways, 'auto')
  } catch {
    // Some servers of the old protocol end at a question they do not know, so that nobody can fall back on the same process.
    return await open(name, to, ways, 'legacy').catch((cause) => {
      throw faults.upstreamUnreachable({ upstream: name }, { cause, details: { upstream: name, effect: 'none' } })
    })
  }
}

async function open(name: string, to: UpstreamTransport, ways: Ways, mode: 'auto' | 'legacy'): Promise<Connection> {
  const state = { open: true, listed: undefined as ReadonlyMap<string, Definition> | undefined }
  const client = new Client(
    { name: 'story-portal', version: '1.0.0' },
    {
      versionNegotiation: { mode, probe: { timeoutMs: PROBE_MS } },
      listMaxPages: MAX_PAGES,
      inputRequired: { autoFulfill: false },
      // Results are checked by us: a stranger's schema may hold an expression that stops the process.
      jsonSchemaValidator: {
        getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
      },
      listChanged: {
        tools: {
          autoRefresh: false,
          debounceMs: 0,
          onChanged: () => {
            state.listed = undefined
          },
        },
      },
    },
  )
  client.onclose = () => {
    state.open = false
  }
  const transport = transportTo(to, ways)
  try {
    await client.connect(transport, { timeout: CONNECT_MS })
  } catch (error) {
    await transport.close().catch(() => {})
    throw error
  }
  return {
    get open() {
      return state.open
    },
    async definitions() {
      try {
        state.listed ??= await list(client)
      } catch (error) {
        throw upstreamFault(name, error)
      }
      return state.listed
    },
    async call(tool, args, { signal, timeout_ms, onProgress }) {
      try {
        const onprogress = onProgress && ((told: Told) => onProgress(progressOf(told)))
        const options = { signal, timeout: timeout_ms, ...(onprogress ? { onprogress } : {}) }
        return await client.callTool({ name: tool, arguments: args }, options)
      } catch (error) {
        throw upstreamFault(name, error)
      }
    },
    close: () => client.close(),
  }
}

interface Told {
  progress: number
  total?: number | undefined
  message?: string | undefined
}

function progressOf({ progress, total, message }: Told): ProgressUpdate {
  return {
    progress,
    ...(total === undefined ? {} : { total }),
    ...(message === undefined ? {} : { message: visibleText(message).slice(0, 200) }),
  }
}

async function list(client: Client): Promise<ReadonlyMap<string, Definition>> {
  const { tools } = await client.listTools(undefined, { timeout: CONNECT_MS, cacheMode: 'refresh' })
  return new Map(tools.map((tool) => [tool.name, definitionOf(tool)]))
}

function transportTo(to: UpstreamTransport, { reaper, fetch }: Ways): Transport {
  if (to.type === 'stdio') return processTransport(to, reaper)
  const { headers } = to
  const url = new URL(to.url)
  return new StreamableHTTPClientTransport(url, {
    fetch: (at, init) => fetch(at, { ...init, trust: url.host }),
    requestInit: { headers },
  })
}

/** Our words for what went wrong with an upstream; its own go to the log. A refusal is an answer, silence is not. */
function upstreamFault(upstream: string, cause: unknown): StoryPortalError {
  const details = { upstream }
  if (cause instanceof ProtocolError) {
    const refused = [-32_600, -32_601, -32_602].includes(cause.code)
    return refused
      ? faults.upstreamRefused({ upstream, rpc_code: cause.code }, { cause, details: { ...details, effect: 'none' } })
      : faults.upstreamFailed({ upstream }, { cause, details: { ...details, rpc_code: cause.code } })
  }
  if (cause instanceof SdkError && cause.code === SdkErrorCode.RequestTimeout)
    return faults.upstreamSilent({ upstream }, { cause, details })
  return faults.upstreamLost({ upstream }, { cause, details })
}
