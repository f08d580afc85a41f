import type { Config } from '@story-portal/shared/config'
import { type DbHealth, migrate, openDatabase } from '@story-portal/shared/db'
import { createLogger } from '@story-portal/shared/telemetry'
import { prepareHome } from './home.ts'
import type { Output } from './output.ts'

export interface Migrated {
  before: string[]
  applied: number
}

export async function databaseHealth(config: Config): Promise<DbHealth> {
  const log = createLogger({ name: 'doctor', level: config.log.level, dir: config.log.dir })
  const db = await openDatabase(config, { log })
  try {
    return await db.health()
  } finally {
    await db.close()
  }
}

/** Brings the database to this version's schema; two at once are safe, a second run changes nothing. */
export async function migrateDatabase(config: Config): Promise<Migrated> {
  const log = createLogger({ name: 'migrate', level: config.log.level, dir: config.log.dir })
  const db = await openDatabase(config, { log })
  try {
    const before = (await db.health()).migrations.pending
    await migrate(db)
    return { before, applied: (await db.health()).migrations.applied }
  } finally {
    await db.close()
  }
}

export async function runMigrate(out: Output, config: Config): Promise<void> {
  prepareHome(config.home)
  out.progress('Migrating ...')
  const { before, applied } = await migrateDatabase(config)
  const text =
    before.length === 0
      ? `The schema is current (${applied} migrations).`
      : `Applied ${before.length}:\n  ${before.join('\n  ')}`
  out.result({ applied: before, total: applied }, text)
}
