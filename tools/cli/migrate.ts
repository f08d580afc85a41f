import type { Config } from '@story-portal/shared/config'
import { type DbHealth, migrate, openDatabase } from '@story-portal/shared/db'
import { createLogger } from '@story-portal/shared/telemetry'
import { prepareHome } from './home.ts'
import type { Output } from './output.ts'
import { runningProcesses } from './platform-state.ts'

export async function databaseHealth(config: Config): Promise<DbHealth> {
  const log = createLogger({ name: 'doctor', ...config.log })
  const db = await openDatabase(config, { log })
  try {
    return await db.health()
  } finally {
    await db.close()
  }
}

/** Brings the database to this version's schema; two at once are safe, a second run changes nothing. Names what it applied. */
export async function migrateDatabase(config: Config): Promise<string[]> {
  const log = createLogger({ name: 'migrate', ...config.log })
  const db = await openDatabase(config, { log })
  try {
    return (await migrate(db)).applied
  } finally {
    await db.close()
  }
}

export async function runMigrate(out: Output, config: Config): Promise<void> {
  if (config.mode === 'embedded' && runningProcesses(config.home).length > 0) {
    out.result({ applied: [] }, 'The platform runs: it brought its database up to date when it started.')
    return
  }
  prepareHome(config.home)
  out.progress('Migrating ...')
  const applied = await migrateDatabase(config)
  const text = applied.length === 0 ? 'The schema is current.' : `Applied ${applied.length}:\n  ${applied.join('\n  ')}`
  out.result({ applied }, text)
}
