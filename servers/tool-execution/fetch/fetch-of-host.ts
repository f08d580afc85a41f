import type { Host } from '@story-portal/shared/mcp'
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch.ts'

const fetches = new WeakMap<Host, GuardedFetch>()

/** The guarded fetch of a process, made on first use; jobs/upstreams.ts closes it. */
export function fetchOf(host: Host): GuardedFetch {
  const known = fetches.get(host)
  if (known) return known
  const { privateHosts = '' } = host.config.fetch
  const fresh = createGuardedFetch({ privateHosts: privateHosts.split(',').map((name) => name.trim().toLowerCase()) })
  fetches.set(host, fresh)
  return fresh
}
