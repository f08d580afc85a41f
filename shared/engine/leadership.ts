import { sql } from 'kysely'
import type { Db, SystemScope } from '../db/index.ts'

export interface Leadership {
  /** True when this holder leads, for `leaseMs` from now by the database's clock. */
  take(): Promise<boolean>
  release(): Promise<void>
}

/** One holder among all processes for a named piece of work, by a lease row: the next one takes over when it ends. */
export function leadership(db: Db, name: string, holder: string, leaseMs: number): Leadership {
  const scope: SystemScope = { kind: 'system', name: 'engine.leadership' }
  const until = sql`core.now() + make_interval(secs => ${leaseMs / 1_000}::float8)`
  return {
    async take() {
      const { rows } = await db.tx(scope, (tx) =>
        sql`
          insert into core.leases as l (name, holder, fence, expires_at) values (${name}, ${holder}, 1, ${until})
          on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at,
            fence = l.fence + case when l.holder = excluded.holder then 0 else 1 end
          where l.holder = excluded.holder or l.expires_at <= core.now()
          returning fence`.execute(tx),
      )
      return rows.length === 1
    },
    async release() {
      await db.tx(scope, (tx) => sql`delete from core.leases where name = ${name} and holder = ${holder}`.execute(tx))
    },
  }
}
