import { type LookupAddress, lookup } from 'node:dns'
import { isIP } from 'node:net'
import { Agent, fetch as fetchBy } from 'undici'
import { faults } from '../errors.ts'
import { isPublicAddress } from './public-address.ts'

type Lookup = (
  host: string,
  options: { all: true; family?: 4 | 6 },
  found: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface GuardOptions {
  /** `host` or `host:port` that may have private addresses. */
  privateHosts: readonly string[]
  lookup?: Lookup
}

export interface GuardedInit extends RequestInit {
  /** How many are followed. Default 0: a redirect is an error. `return`: it is the answer. */
  redirects?: number | 'return'
  /** Asked of the first URL and of each that a redirect leads to; throws to refuse it. */
  admit?: (url: URL) => void
  /** A `host:port` that a person named who may start commands too: its addresses may be private. */
  trust?: string
  /** Default 16 MiB; an answer that is longer is cut with an error. */
  maxBytes?: number
}

export interface GuardedFetch {
  (url: string | URL, init?: GuardedInit): Promise<Response>
  close(): Promise<void>
}

const MAX_RESPONSE_BYTES = 16 * 1024 * 1024
const CONNECT_MS = 10_000
const REDIRECTS = [301, 302, 303, 307, 308]

/**
 * `fetch` for addresses that others choose. The name is resolved once, by the connection itself, and every address it has must be
 * public (E3034), so an answer that changes afterwards changes nothing; a redirect is a new URL that has to pass the same. Only http and https,
 * no credentials in the URL, no proxy of the environment, no cookie.
 */
export function createGuardedFetch({ privateHosts, lookup: resolve = lookup as Lookup }: GuardOptions): GuardedFetch {
  const open = new Agent({ connect: { timeout: CONNECT_MS } })
  const guarded = new Agent({ connect: { timeout: CONNECT_MS, lookup: publicOnly(resolve) as never } })
  const listed = new Set(privateHosts)

  async function once(url: URL, init: RequestInit, trust: string | undefined): Promise<Response> {
    const trusted = url.host === trust || listed.has(url.hostname) || listed.has(url.host)
    if (!trusted && isAddress(url) && !isPublicAddress(addressOf(url))) throw notPublic(url.hostname)
    const dispatcher = trusted ? open : guarded
    try {
      const response = await fetchBy(url, { ...(init as object), redirect: 'manual', dispatcher })
      return response as unknown as Response
    } catch (error) {
      throw (error as Error).cause instanceof NotPublic ? notPublic(url.hostname) : error
    }
  }

  const guardedFetch = async (given: string | URL, options: GuardedInit = {}): Promise<Response> => {
    const { redirects = 0, admit, trust, maxBytes = MAX_RESPONSE_BYTES, ...init } = options
    let url = checkedUrl(given)
    let request: RequestInit = init
    for (let followed = 0; ; followed++) {
      admit?.(url)
      const response = await once(url, request, trust)
      const next = REDIRECTS.includes(response.status) ? response.headers.get('location') : null
      if (next === null || redirects === 'return') return capped(response, maxBytes)
      await response.body?.cancel()
      if (followed >= redirects) throw faults.tooManyRedirects({ host: url.host })
      const target = checkedUrl(new URL(next, url))
      request = redirected(request, response.status, target.origin === url.origin)
      url = target
    }
  }
  return Object.assign(guardedFetch, { close: async () => void (await Promise.all([open.close(), guarded.close()])) })
}

class NotPublic extends Error {}

/** Runs inside the connection: what it hands on is what is connected to. One private address refuses the name, also beside public ones. */
function publicOnly(resolve: Lookup) {
  return (
    host: string,
    options: { all?: boolean; family?: 4 | 6 },
    found: (error: Error | null, address?: string | LookupAddress[], family?: number) => void,
  ) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error) return found(error)
      const [first] = addresses
      if (!first || !addresses.every(({ address }) => isPublicAddress(address))) return found(new NotPublic(host))
      if (options.all) found(null, addresses)
      else found(null, first.address, first.family)
    })
  }
}

/** A whole http or https URL without credentials. Its parser has turned decimal, octal and hexadecimal addresses into dotted ones. */
export function checkedUrl(given: string | URL): URL {
  const url = URL.parse(String(given))
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw faults.badUrl({ what: 'begin with http:// or https://' })
  if (url.username !== '' || url.password !== '') throw faults.badUrl({ what: 'hold no user name or password' })
  return url
}

function addressOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

function isAddress(url: URL): boolean {
  return isIP(addressOf(url)) !== 0
}

function notPublic(host: string) {
  return faults.addressNotPublic({ host }, { details: { effect: 'none' } })
}

/** To another origin no header of the caller's goes along: they were meant for the first. */
function redirected(request: RequestInit, status: number, sameOrigin: boolean): RequestInit {
  const { body: _b, headers, ...rest } = request
  const kept = sameOrigin && headers ? { headers } : {}
  const get = status === 303 || rest.method === undefined || ['GET', 'HEAD'].includes(rest.method)
  return get ? { ...rest, ...kept, method: rest.method === 'HEAD' ? 'HEAD' : 'GET' } : { ...request, ...kept }
}

function capped(response: Response, limit: number): Response {
  if (!response.body) return response
  let bytes = 0
  const cap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > limit) controller.error(faults.answerTooLong({ limit }))
      else controller.enqueue(chunk)
    },
  })
  const { status, statusText, headers } = response
  const answer = new Response(response.body.pipeThrough(cap), { status, statusText, headers: [...headers] })
  Object.defineProperty(answer, 'url', { value: response.url })
  return answer
}
