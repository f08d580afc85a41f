import type { Config } from '@story-portal/shared/config'
import {
  isOtherMajor,
  type Loaded,
  loadDump,
  openDatabase,
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
  const dumped = await withEmbedded(config, (db) => (to === undefined ? takeDump(db, config.home) : writeDump(db, to)))
  out.result(dumped, `${dumped.rows} rows of ${dumped.tables} tables are in ${dumped.file}.`)
}

interface RestoreFlags {
  acceptLoss?: boolean | undefined
}

/** `upgrade`: a new database from the newest dump, where this version can't open the one that is there. */
export async function runUpgrade(out: Output, config: Config, { acceptLoss }: RestoreFlags): Promise<void> {
  assertEmbedded(config, 'upgrade')
  if (!isOtherMajor(config.home)) {
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
  out.progress('Writing a dump ...')
  const { file } = await withEmbedded(config, (db) => takeDump(db, config.home))
  const target = await openDatabase(
    { ...config, mode: 'distributed', db: { ...config.db, url: to } },
    { log: logger(config) },
  )
  let loaded: Loaded
  try {
    loaded = await loadDump(target, file, { progress: bar(out, 'Moving') })
  } finally {
    await target.close()
  }
  out.result(
    { moved: true, tables: loaded.tables, rows: loaded.rows, dump: file },
    [
      `${loaded.rows} rows of ${loaded.tables} tables were moved and compared; every one is the same there.`,
      'Next: set DATABASE_URL to that address and run "npm start".',
      `The embedded database in ${config.home} is as it was; what is written to either from now on is in that one only.`,
    ].join('\n'),
  )
}

async function withEmbedded<T>(
  config: Config,
  use: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>,
): Promise<T> {
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
