import type { SystemScope } from '@story-portal/shared/db'
import { leadership, leaseOwner } from '@story-portal/shared/engine'
import type { Host } from '@story-portal/shared/mcp'
import { markCrashed, silentSessions } from './sessions.ts'

const MOST_AT_ONCE = 100

/** Marks silent sessions as crashed, now and then; one process of all does. */
export function startSweep(host: Host): { stop(): Promise<void> } {
  const { db, config, log, boot_id } = host
  const { sessionSilenceMs } = config.context
  const everyMs = Math.max(200, Math.min(30_000, sessionSilenceMs / 5))
  const lead = leadership(db, 'context.sessions', leaseOwner(boot_id), everyMs * 3)
  let running: Promise<void> = Promise.resolve()
  const sweep = async () => {
    try {
      if (await lead.take()) await sweepOnce(host)
    } catch (error) {
      // The database is away; the next one finds them too.
      log.warn({ err: error }, 'silent sessions were not looked for')
    }
  }
  const timer = setInterval(() => {
    running = running.then(sweep)
  }, everyMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
      await lead.release().catch(() => {})
    },
  }
}

async function sweepOnce({ db, config, log }: Host): Promise<void> {
  const { sessionSilenceMs } = config.context
  const everywhere: SystemScope = { kind: 'system', name: 'context.sessions' }
  const found = await db.tx(everywhere, (tx) => silentSessions(tx, sessionSilenceMs, MOST_AT_ONCE), { readOnly: true })
  for (const { tenant_id, id } of found) {
    const scope = { kind: 'tenant', tenant_id, subject: 'service:context-orchestrator' } as const
    const crashed = await db.tx(scope, (tx) => markCrashed(tx, id, sessionSilenceMs))
    if (crashed) log.info({ session: id, tenant_id }, 'a session gave no sign of life and counts as crashed')
  }
}
