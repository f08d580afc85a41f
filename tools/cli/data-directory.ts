import type { Config } from '@story-portal/shared/config'
import {
  type Db,
  internalsOf,
  type Loaded,
  loadDump,
  openDatabase,
  otherMajor,
  restoreHome,
  takeDump,
  writeDump,
} from '@story-portal/shared/db'
import { createLogger, type Logger } from '@story-portal/shared/telemetry'
import { cliErrors } from './errors.ts'
import type { Output } from './output.ts'

/** `dump`: everything in the embedded database into one file, while the platform is stopped. */
export async function runDump(out: Output, config: Config, { to }: { to?: string }): Promise<void> {
  assertEmbedded(config, 'dump')
  out.progress('Writing the dump ...')
  const dumped = await withEmbedded(config, async (db) => {
    const whole = await (to === undefined ? takeDump(db, config.home) : writeDump(db, to))
    internalsOf(db).holdsAll(whole.made_at)
    return whole
  })
  out.result(dumped, `${dumped.rows} rows of ${dumped.tables} tables are in ${dumped.file}.`)
}

interface RestoreFlags {
  acceptLoss?: boolean | undefined
}

/** `upgrade`: a new database from the newest dump, where this version can't open the one that is there. */
export async function runUpgrade(out: Output, config: Config, { acceptLoss }: RestoreFlags): Promise<void> {
  assertEmbedded(config, 'upgrade')
  if (otherMajor(config.home) === undefined) {
    out.result({ upgraded: false }, 'Nothing to upgrade: this version opens the database as it is.')
    return
  }
  await restore(out, config, { acceptLoss })
}

/** `restore <file>`: the same from a dump of one's choice; `npm stop` first. */
export async function runRestore(out: Output, config: Config, flags: RestoreFlags, file: string): Promise<void> {
  assertEmbedded(config, 'restore')
  await restore(out, config, { ...flags, file })
}

async function restore(
  out: Output,
  config: Config,
  options: RestoreFlags & { file?: string | undefined },
): Promise<void> {
  const { file, acceptLoss } = options
  const restored = await restoreHome(config, { file, acceptLoss, log: logger(config), progress: bar(out, 'Restoring') })
  const { kept } = restored
  const back =
    kept === undefined
      ? ''
      : `\nThe database before is in ${kept}. To go back: stop the platform, remove ${config.home}/db and give it that name.`
  out.result(
    { upgraded: true, ...restored },
    `${restored.rows} rows were restored from ${restored.file}, made ${restored.made_at}.${back}`,
  )
}

/** `move --to <url>`: the embedded database into a PostgreSQL, compared row by row; the directory stays as it is. */
export async function runMove(out: Output, config: Config, { to }: { to: string }): Promise<void> {
  assertEmbedded(config, 'move')
  if (!URL.canParse(to) || !/^postgres(ql)?:$/.test(new URL(to).protocol)) throw cliErrors.badTarget()
  // Held open to the end: nobody can start a platform here whose changes would be left behind.
  const { file, already, tables, rows } = await withEmbedded(config, async (db) => {
    out.progress('Writing a dump ...')
    const dumped = await takeDump(db, config.home)
    return { file: dumped.file, ...(await load(out, config, to, dumped.file)) }
  })
  out.result(
    { moved: true, already, tables, rows, dump: file },
    [
      already
        ? `That database holds all ${rows} rows of ${tables} tables already; every one was compared and is the same.`
        : `${rows} rows of ${tables} tables were moved and compared; every one is the same there.`,
      'Next: set DATABASE_URL to that address and run "npm start".',
      `The embedded database in ${config.home} is as it was; what is written to either from now on is in that one only.`,
    ].join('\n'),
  )
}

/** MIGRATION_DATABASE_URL belongs to DATABASE_URL: the owner of the target is whoever `url` names. */
async function load(out: Output, config: Config, url: string, file: string): Promise<Loaded> {
  const target: Config = { ...config, mode: 'distributed', db: { ...config.db, url, migrationUrl: undefined } }
  const db = await openDatabase(target, { log: logger(config) })
  try {
    return await loadDump(db, file, { progress: bar(out, 'Moving') })
  } finally {
    await db.close()
  }
}

async function withEmbedded<T>(config: Config, use: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(config, { log: logger(config) })
  try {
    return await use(db)
  } finally {
    await db.close()
  }
}

function assertEmbedded(config: Config, command: string): void {
  if (config.mode !== 'embedded') throw cliErrors.embeddedOnly({ command })
}

function logger(config: Config): Logger {
  return createLogger({ name: 'data-directory', ...config.log })
}

function bar(out: Output, verb: string) {
  return ({ table, rows, of }: { table: string; rows: number; of: number }) =>
    out.progress(`${verb} ${table}: ${rows} of ${of} rows`)
}
