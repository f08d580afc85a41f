import { hashJson } from '@story-portal/shared/data'
import type { Host } from '@story-portal/shared/mcp'
import { fetchOf } from '../fetch/fetch-of-host.ts'
import type { GuardedFetch } from '../fetch/guarded-fetch.ts'
import { type Connection, connect, type UpstreamTransport } from './connection.ts'
import { createReaper } from './reaper.ts'

const IDLE_MS = 5 * 60_000
const LOOK_MS = 30_000

interface Upstream {
  tenant_id: string
  name: string
  transport: UpstreamTransport
}

interface Entry {
  /** A changed transport, or credential in it, is another connection. */
  hash: string
  connection: Promise<Connection>
  users: number
  used: number
}

/** The upstream connections of one process: one per upstream, shared by all calls, closed when nobody used it for five minutes. */
export interface UpstreamPool {
  /** Runs `work` on the living connection, opening one where there is none. */
  use<T>(upstream: Upstream, work: (connection: Connection) => Promise<T>): Promise<T>
  drop(upstream: Pick<Upstream, 'tenant_id' | 'name'>): Promise<void>
  close(): Promise<void>
}

const pools = new WeakMap<Host, UpstreamPool>()

/** The pool of a process, made on first use; jobs/upstreams.ts closes it. */
export function upstreamsOf(host: Host): UpstreamPool {
  const known = pools.get(host) ?? createPool(fetchOf(host))
  pools.set(host, known)
  return known
}

function createPool(fetch: GuardedFetch): UpstreamPool {
  const entries = new Map<string, Entry>()
  const reaper = createReaper()
  const close = async (key: string, entry: Entry) => {
    if (entries.get(key) === entry) entries.delete(key)
    await entry.connection.then((connection) => connection.close()).catch(() => {})
  }
  const idle = setInterval(() => {
    const before = performance.now() - IDLE_MS
    for (const [key, entry] of entries) if (entry.users === 0 && entry.used < before) void close(key, entry)
  }, LOOK_MS)
  idle.unref()

  const entryOf = async (upstream: Upstream): Promise<Entry> => {
    const key = keyOf(upstream)
    const hash = hashJson(upstream.transport)
    const known = entries.get(key)
    if (known && known.hash === hash && (await isOpen(known))) return known
    // Somebody else may have opened it meanwhile.
    const newest = entries.get(key)
    if (newest && newest !== known) return entryOf(upstream)
    if (known) void close(key, known)
    const connection = connect(upstream.name, upstream.transport, { reaper, fetch })
    const entry = { hash, connection, users: 0, used: performance.now() }
    entries.set(key, entry)
    connection.catch(() => entries.get(key) === entry && entries.delete(key))
    return entry
  }

  return {
    async use(upstream, work) {
      const entry = await entryOf(upstream)
      entry.users += 1
      try {
        return await work(await entry.connection)
      } finally {
        entry.users -= 1
        entry.used = performance.now()
      }
    },
    async drop(upstream) {
      const entry = entries.get(keyOf(upstream))
      if (entry) await close(keyOf(upstream), entry)
    },
    async close() {
      clearInterval(idle)
      await Promise.all([...entries].map(([key, entry]) => close(key, entry)))
      reaper.close()
    },
  }
}

async function isOpen({ connection }: Entry): Promise<boolean> {
  return connection.then(
    (opened) => opened.open,
    () => false,
  )
}

function keyOf({ tenant_id, name }: Pick<Upstream, 'tenant_id' | 'name'>): string {
  return `${tenant_id}/${name}`
}
