import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '@story-portal/shared/config'
import type { Host } from '@story-portal/shared/mcp'
import type { z } from 'zod'
import { createSandbox, type Limits, type Sandbox } from './sandbox/sandbox.ts'
import type { Limits as AskedLimits } from './schema.ts'

const sandboxes = new WeakMap<Host, Sandbox>()

/** The sandbox of a process, made on first use; jobs/sandbox-pool.ts warms it and closes it. */
export function sandboxOf(host: Host): Sandbox {
  const known = sandboxes.get(host)
  if (known) return known
  const { sandbox } = host.config
  const fresh = createSandbox({
    workers: sandbox.workers,
    waitMs: sandbox.waitMs,
    limits: {
      wall_ms: sandbox.wallMs,
      cpu_ms: sandbox.wallMs,
      heap_mb: sandbox.memoryMb,
      rss_mb: sandbox.rssMb,
      result_bytes: sandbox.maxResultBytes,
      log_bytes: sandbox.maxLogBytes,
      host_calls: sandbox.maxHostCalls,
    },
    log: host.log,
  })
  sandboxes.set(host, fresh)
  return fresh
}

/**
 * Lets what runs end, then kills the rest; nothing can be started afterwards. Done before the drain limit of the process, which
 * cancels calls: what is killed here is handed back instead, and runs in the next process.
 */
export async function closeSandboxOf(host: Host): Promise<void> {
  const sandbox = sandboxes.get(host)
  if (!sandbox) return
  const limit = performance.now() + host.config.mcp.drainMs * 0.8
  while (performance.now() < limit && isBusy(sandbox)) await sleep(LOOK_MS)
  await sandbox.close()
}

const LOOK_MS = 25

function isBusy(sandbox: Sandbox): boolean {
  const { active, queued } = sandbox.stats()
  return active + queued > 0
}

/**
 * What the caller asked for, cut to what this installation allows. Heap may be raised up to half of the process's memory. A timeout
 * shortens the wall time only: engine threads can burn CPU faster than the clock goes, and a run past the time asked for should say so.
 */
export function limitsFor(config: Config['sandbox'], asked: z.output<typeof AskedLimits>): Partial<Limits> {
  const wall = Math.min(asked.timeout_ms ?? config.wallMs, config.wallMs)
  const heap = Math.min(asked.memory_mb ?? config.memoryMb, Math.max(config.memoryMb, Math.floor(config.rssMb / 2)))
  return { wall_ms: wall, heap_mb: heap }
}
