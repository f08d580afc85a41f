import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Fault } from '../registry.ts'

/** Every connection ended by pg_terminate_backend, again and again for two seconds. */
export default {
  kind: 'other',
  modes: ['distributed'],
  async strike({ services }) {
    const client = new pg.Client({ connectionString: services?.postgres.url })
    await client.connect()
    let ended = 0
    for (let round = 0; round < 8; round++) {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      )
      ended += rowCount ?? 0
      await sleep(250)
    }
    await client.end()
    return `${ended} connections`
  },
} satisfies Fault
