import type { TenantScope } from '../db/index.ts'
import { isStoryPortalError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** Where failures are told, so that the work goes on with the next row; without one the first failure is thrown. */
export type Log = Pick<Logger, 'warn'>

export interface Found {
  tenant_id: string
  id: string
}

/** Logs a failure of one row or step of the reconciler; throws it where there is no log. */
export function told(
  log: Log | undefined,
  error: unknown,
  where: { tenant_id: string; id: string } | { step: string },
) {
  if (!log) throw error
  log.warn({ err: error, ...where }, 'the reconciler could not put something right')
}

/** All rows of a tenant at once; where that fails, one by one, so that only those that can not be changed stay as they are. */
export async function perTenant(
  found: readonly Found[],
  log: Log | undefined,
  act: (scope: TenantScope, ids: string[]) => Promise<number>,
): Promise<number> {
  let done = 0
  for (const [tenant_id, rows] of Map.groupBy(found, (row) => row.tenant_id)) {
    const ids = rows.map(({ id }) => id).sort()
    try {
      done += await act(scopeOf(tenant_id), ids)
    } catch {
      done += await each(rows, log, (scope, id) => act(scope, [id]))
    }
  }
  return done
}

/** Failures in a row that say that nothing answers, after which the rest waits for the next round. */
const UNAVAILABLE_IN_A_ROW = 3

/** Row by row, passing by those that fail. `act` may say how many it changed; else each counts. */
export async function each(
  found: readonly Found[],
  log: Log | undefined,
  act: (scope: TenantScope, id: string) => Promise<unknown>,
): Promise<number> {
  let done = 0
  let away = 0
  for (const { tenant_id, id } of found) {
    try {
      const changed = await act(scopeOf(tenant_id), id)
      done += typeof changed === 'number' ? changed : 1
      away = 0
    } catch (error) {
      told(log, error, { tenant_id, id })
      away = isStoryPortalError(error) && error.code === 'UNAVAILABLE' ? away + 1 : 0
      if (away >= UNAVAILABLE_IN_A_ROW) throw error
    }
  }
  return done
}

function scopeOf(tenant_id: string): TenantScope {
  return { kind: 'tenant', tenant_id, subject: 'system:reconciler', source: 'story-portal/engine' }
}
