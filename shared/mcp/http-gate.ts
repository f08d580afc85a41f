import type { IncomingMessage } from 'node:http'
import {
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  validateHostHeader,
  validateOriginHeader,
} from '@modelcontextprotocol/server'
import { type Caller, type CallerClient, localUser, secretMatcher } from '../auth/index.ts'
import { errors } from '../errors/index.ts'
import { mcpErrors } from './errors.ts'

export interface GateOptions {
  /** The bearer token of the local user. */
  token: string
  /** The address listened on; its name is allowed as Host when it is not a wildcard. */
  host: string
  /** More names this server is reached by, for example behind a proxy. */
  allowedHosts: readonly string[]
}

export interface Gate {
  /** Refuses what a DNS-rebinding page could send: a Host or Origin that is not ours. Throws DENIED. */
  checkSource(req: IncomingMessage): void
  /** The caller that the bearer token stands for. Throws UNAUTHENTICATED. */
  authenticate(req: IncomingMessage, surface: CallerClient['surface']): Caller
}

/** The checks in front of every path. The MCP handler itself makes none of them. */
export function createGate(options: GateOptions): Gate {
  const wildcard = options.host === '0.0.0.0' || options.host === '::'
  const own = wildcard ? [] : [options.host.includes(':') ? `[${options.host}]` : options.host]
  const more = [...own, ...options.allowedHosts]
  const hosts = [...localhostAllowedHostnames(), ...more]
  const origins = [...localhostAllowedOrigins(), ...more]
  const isToken = secretMatcher(options.token)
  /** Nearly every request comes with the same Host; the check parses it as a URL. */
  let lastHost: string | undefined
  return {
    checkSource(req) {
      const { host } = req.headers
      if (host === undefined || host !== lastHost) {
        if (!validateHostHeader(host, hosts).ok) throw mcpErrors.foreignHost()
        lastHost = host
      }
      if (!validateOriginHeader(req.headers.origin, origins).ok) throw mcpErrors.foreignOrigin()
    },
    authenticate(req, surface) {
      const given = /^Bearer ([^\s]{1,4096})$/i.exec(req.headers.authorization ?? '')?.[1]
      if (given === undefined || !isToken(given)) throw errors.unauthenticated()
      return localUser({ surface, name: 'unknown' })
    },
  }
}
