import path from 'node:path'
import { Kysely } from 'kysely'
import type { Config } from '../config/index.ts'
import { isStoryPortalError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { dialect } from './driver.ts'
import { markWhole } from './dump/changed-after.ts'
import { claimDirectory } from './embedded/directory.ts'
import { copyDirectory } from './embedded/files.ts'
import { checkDirectory, writeManifest } from './embedded/manifest.ts'
import { EmbeddedSource } from './embedded/source.ts'
import { completeSwap } from './embedded/swap.ts'
import { dbErrors } from './errors.ts'
import { assertOutsideTransaction } from './guard.ts'
import { probe } from './health.ts'
import { rememberInternals } from './internals.ts'
import { migrationNames } from './migrations.ts'
import { PostgresListener } from './postgres/listener.ts'
import { PostgresSource } from './postgres/source.ts'
import { runTransaction, type TransactionHost } from './transaction.ts'
import type { Db, DbMode, Tables } from './types.ts'

export interface OpenOptions {
  log: Logger
  /** For tests: milliseconds core.now() is ahead of the database's clock. */
  timeOffset?: () => number
  /** For tests: in memory, restored from this tar; no directory, no lock. */
  snapshot?: string | undefined
  /** For tests: nothing on disk. */
  memory?: boolean
}

export type DatabaseConfig = Pick<Config, 'mode' | 'home' | 'db'>

/**
 * Opens the database of this process. Embedded: takes the directory's lock and starts the thread; throws a coded error when
 * the directory is in use, not writable, full or from a newer version. PostgreSQL: never waits for the server, which may be
 * down now and is found when it is back; `health` says so.
 */
export async function openDatabase(config: DatabaseConfig, options: OpenOptions): Promise<Db> {
  return config.mode === 'embedded' ? openEmbedded(config, options) : openPostgres(config, options)
}

const LONGEST_MIGRATION_MS = 15 * 60_000

async function openEmbedded(config: DatabaseConfig, options: OpenOptions): Promise<Db> {
  const { home } = config
  const lock = options.memory ? undefined : claimDirectory(home)
  try {
    if (lock) {
      completeSwap(home)
      checkDirectory(home, migrationNames())
    }
    const source = new EmbeddedSource(
      {
        dataDir: options.memory ? undefined : path.join(home, 'db'),
        snapshot: options.snapshot,
        fsync: config.db.fsync,
        maxQueryMs: config.db.maxQueryMs,
        idleTransactionMs: config.db.idleTransactionMs,
      },
      options.log,
    )
    await source.open()
    const disk = new DiskWatch()
    let whole: string | undefined
    const kysely = new Kysely<Tables>({ dialect: dialect(source) })
    const db = assemble('embedded', kysely, options, {
      disk,
      vector: () => source.vector,
      listen: (channel, handler) => source.listen(channel, handler),
      health: () =>
        probe(kysely, 'embedded', {
          pool: () => ({ size: 1, idle: source.busy ? 0 : 1, waiting: source.waiting }),
          // A long statement is no outage: the answer does not wait in the queue behind it.
          busy: () => source.busy && source.running,
          diskFull: disk.isFull,
        }),
      async close() {
        await source.end()
        if (whole !== undefined) markWhole(home, whole)
        lock?.release()
      },
    })
    rememberInternals(db, {
      async migrationSource() {
        source.maxQueryMs = LONGEST_MIGRATION_MS
        return {
          source,
          logins: [],
          async close() {
            source.maxQueryMs = config.db.maxQueryMs
          },
        }
      },
      async migrated(names) {
        await (await source.open()).detect()
        if (lock) writeManifest(home, names)
      },
      home: lock ? home : undefined,
      holdsAll(made_at) {
        whole = made_at
      },
      copyTo: (dir) => source.still(() => copyDirectory(path.join(home, 'db'), dir)),
      dump: () => source.dump(),
      restarts: () => source.restarts,
    })
    return db
  } catch (error) {
    lock?.release()
    throw error
  }
}

function openPostgres(config: DatabaseConfig, options: OpenOptions): Db {
  const url = config.db.url
  if (url === undefined) throw new Error('distributed mode without DATABASE_URL')
  // Nobody waits behind an idle transaction here as they do for the one embedded connection: a busy process gets more time.
  const settings = { ...config.db, url, idleTransactionMs: config.db.idleTransactionMs * 3 }
  const source = new PostgresSource(settings, options.log)
  const listener = new PostgresListener(settings, options.log)
  const disk = new DiskWatch()
  const kysely = new Kysely<Tables>({ dialect: dialect(source) })
  const db = assemble('postgres', kysely, options, {
    disk,
    vector: () => source.extension.vector !== undefined,
    listen: (channel, handler) => listener.listen(channel, handler),
    health: () =>
      probe(kysely, 'postgres', {
        pool: () => ({
          size: source.pool.totalCount,
          idle: source.pool.idleCount,
          waiting: source.pool.waitingCount,
        }),
        busy: () => false,
        diskFull: disk.isFull,
      }),
    async close() {
      await listener.close()
      await source.end()
    },
  })
  rememberInternals(db, {
    async migrationSource() {
      const owner = new PostgresSource(
        {
          ...settings,
          url: config.db.migrationUrl ?? url,
          poolMax: 2,
          statementTimeoutMs: LONGEST_MIGRATION_MS,
          lockTimeoutMs: 5000,
          idleTransactionMs: 60_000,
        },
        options.log,
      )
      const user = decodeURIComponent(URL.parse(url)?.username ?? '')
      return { source: owner, logins: user ? [user] : [], close: (owners) => owners.destroy() }
    },
    async migrated() {
      source.forget()
    },
    home: undefined,
    holdsAll: () => {},
    copyTo: notADirectory,
    dump: notADirectory,
    restarts: () => 0,
  })
  return db
}

const notADirectory = () => Promise.reject(new Error('only the embedded database is a directory of ours'))

/**
 * How long after the last refused write the disk still counts as full: work that goes on is refused again every two seconds
 * while it lasts, and within five of the first free byte the platform is to be ready again.
 */
const FULL_FOR_MS = 3_000

class DiskWatch {
  #until = 0

  /** Looks at every refusal. */
  readonly see = (error: unknown): void => {
    if (isStoryPortalError(error) && error.number === dbErrors.diskFull().number)
      this.#until = performance.now() + FULL_FOR_MS
  }

  readonly isFull = (): boolean => performance.now() < this.#until
}

type Parts = Pick<Db, 'listen' | 'health' | 'close'> & { vector(): boolean; disk: DiskWatch }

function assemble(mode: DbMode, kysely: Kysely<Tables>, options: OpenOptions, parts: Parts): Db {
  const host: TransactionHost = {
    kysely,
    mode,
    vector: parts.vector,
    timeOffset: options.timeOffset ?? (() => 0),
    reportFailure: parts.disk.see,
    reportHookError: (error) => options.log.error({ err: error }, 'work after a commit failed'),
  }
  let closing: Promise<void> | undefined
  return {
    mode,
    get vector() {
      return parts.vector()
    },
    raw: kysely,
    tx: (scope, fn, txOptions) => runTransaction(host, scope, fn, txOptions),
    async listen(channel, handler) {
      assertOutsideTransaction('Db.listen')
      return parts.listen(channel, handler)
    },
    health: parts.health,
    close() {
      closing ??= parts.close()
      return closing
    },
  }
}
