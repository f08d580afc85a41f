import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, type Guarded, startGuarded, untilReady } from './guarded.ts'
import { type PostgresTree, postgresTree } from './postgres-tree.ts'

const exec = promisify(execFile)
/** `nobody`: PostgreSQL refuses to run as root. */
const NOBODY = 65_534

/** Durability against power cuts is not what tests look at; everything else is as in production. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_buffers: '128MB',
  max_locks_per_transaction: '256',
  log_min_messages: 'fatal',
  timezone: 'UTC',
}

export interface TestPostgres {
  /** Superuser, database `postgres`. */
  readonly url: string
  /** Major version and pgvector's; undefined on a server given by DATABASE_URL, which we only ask through connections. */
  readonly version: { major: number; pgvector: string } | undefined
  /** Ends the server and deletes its data. A server given by DATABASE_URL is left alone. */
  stop(): Promise<void>
  /** Only on a server of our own: ends it (`kill`: SIGKILL; `fast`: open transactions are broken off) and keeps the data. */
  halt?(how: 'fast' | 'kill'): Promise<void>
  /** Starts it again on the same port after `halt`. */
  resume?(): Promise<void>
}

export interface ServiceOptions {
  /** Where progress and warnings go; default nowhere. */
  log?: (line: string) => void
  /** Start a private one even when the environment names one: for tests that stop and kill it. */
  own?: boolean
}

/**
 * A real PostgreSQL with pgvector for tests: the one in DATABASE_URL (tests make databases of their own there), else a private
 * one on a free port of 127.0.0.1 with its data in a temporary directory. It ends with this process, however that ends.
 */
export async function startPostgres({ log = () => {}, own = false }: ServiceOptions = {}): Promise<TestPostgres> {
  const given = process.env['TEST_DATABASE_URL'] || process.env['DATABASE_URL']
  if (given && !own) return { url: given, version: undefined, stop: async () => {} }
  const tree = await postgresTree(log)
  const dir = await mkdtemp(path.join(os.tmpdir(), 'story-portal-postgres-'))
  const id = process.getuid?.() === 0 ? NOBODY : undefined
  if (id !== undefined) await chown(dir, id, id)
  const password = randomBytes(16).toString('hex')
  try {
    await initialise(tree, dir, id, password)
    return await serve(tree, dir, id, password)
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

function environment(tree: PostgresTree): Record<string, string> {
  return { LC_ALL: 'C.UTF-8', LD_LIBRARY_PATH: tree.libraries, PATH: `${tree.bin}:${process.env['PATH'] ?? ''}` }
}

async function initialise(tree: PostgresTree, dir: string, id: number | undefined, password: string): Promise<void> {
  const secret = path.join(dir, 'password')
  await writeFile(secret, `${password}\n`, { mode: 0o600 })
  const data = path.join(dir, 'data')
  await mkdir(data, { mode: 0o700 })
  if (id !== undefined) {
    await chown(secret, id, id)
    await chown(data, id, id)
  }
  const args = ['-D', data, '-U', 'postgres', `--pwfile=${secret}`, '-A', 'scram-sha-256', '-E', 'UTF8', '--no-sync']
  await exec(`${tree.bin}/initdb`, args, {
    cwd: dir,
    env: environment(tree),
    ...(id === undefined ? {} : { uid: id, gid: id }),
  })
  await rm(secret)
}

async function serve(tree: PostgresTree, dir: string, id: number | undefined, password: string): Promise<TestPostgres> {
  let { port, server } = await startOnFreePort(tree, dir, id)
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    version: { major: tree.major, pgvector: tree.pgvector },
    async stop() {
      if (server.running()) await server.end()
      await rm(dir, { recursive: true, force: true })
    },
    async halt(how) {
      if (how === 'kill') process.kill(server.pid, 'SIGKILL')
      else await server.end({ keep: true })
      await server.ended()
    },
    async resume() {
      server = await startAgain(tree, dir, id, port)
    },
  }
}

/** Of one that was killed, processes go on for a moment on a busy machine, and hold its shared memory until they have noticed. */
async function startAgain(tree: PostgresTree, dir: string, id: number | undefined, port: number): Promise<Guarded> {
  for (let left = 100; ; left--) {
    try {
      return await start(tree, dir, id, port)
    } catch (error) {
      if (left === 0 || !String(error).includes('is still in use')) throw error
      await sleep(100)
    }
  }
}

async function startOnFreePort(tree: PostgresTree, dir: string, id: number | undefined) {
  for (let left = 3; ; left--) {
    const port = await freePort()
    try {
      return { port, server: await start(tree, dir, id, port) }
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

async function start(tree: PostgresTree, dir: string, id: number | undefined, port: number): Promise<Guarded> {
  const data = path.join(dir, 'data')
  const settings = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  await rm(path.join(data, 'postmaster.pid'), { force: true })
  const server = await startGuarded({
    command: `${tree.bin}/postgres`,
    args: ['-D', data, ...settings],
    dir,
    signal: 'INT',
    env: environment(tree),
    id,
  })
  // The last line of the server's own pid file says when it takes connections; no client is needed to ask.
  const status = () => readFile(path.join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  await untilReady(server, dir, async () => /^ready\s*$/m.test(await status()))
  return server
}
