import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { openApt } from './apt.ts'
import { freePort, type Guarded, startGuarded, untilReady } from './guarded.ts'
import type { ServiceOptions } from './postgres.ts'
import { buildCached, cached } from './service-cache.ts'

const exec = promisify(execFile)

export interface TestRedis {
  readonly url: string
  /** Ends the server and deletes its data. A server given by REDIS_URL is left alone. */
  stop(): Promise<void>
  /** Only on a server of our own: SIGKILL. */
  halt?(): Promise<void>
  /** Starts it again, empty, on the same port. */
  resume?(): Promise<void>
}

/**
 * A real Redis for tests: an empty numbered database of the one in REDIS_URL, emptied again afterwards, else a private one on a free port
 * of 127.0.0.1, from this machine's binary or Debian's package. It ends with this process, however that ends.
 */
export async function startRedis({ log = () => {}, own = false }: ServiceOptions = {}): Promise<TestRedis> {
  const shared = process.env['TEST_REDIS_URL']
  if (shared && !own) return { url: shared, stop: async () => {} }
  const given = process.env['REDIS_URL']
  if (given && !own) return emptyDatabase(given)
  const program = await redisProgram(log)
  const dir = await mkdtemp(path.join(os.tmpdir(), 'story-portal-redis-'))
  const password = randomBytes(16).toString('hex')
  let { port, server } = await startOnFreePort(program, dir, password)
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    async stop() {
      if (server.running()) await server.end()
      await rm(dir, { recursive: true, force: true })
    },
    async halt() {
      process.kill(server.pid, 'SIGKILL')
      await server.ended()
    },
    async resume() {
      server = await start(program, dir, password, port)
    },
  }
}

/** Claims the first numbered database without a key: whatever else is on that server is not ours to touch. */
async function emptyDatabase(server: string): Promise<TestRedis> {
  const url = new URL(server)
  for (let database = 15; database > 0; database--) {
    url.pathname = `/${database}`
    const client = new Redis(url.href, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
    client.on('error', () => {})
    try {
      await client.connect()
      // The mark is there before anything else could be, and tells other test runs to look further.
      if ((await client.dbsize()) === 0 && (await client.set('story-portal-test', process.pid, 'NX')) === 'OK') {
        return {
          url: url.href,
          async stop() {
            await client.flushdb()
            client.disconnect()
          },
        }
      }
    } catch (error) {
      client.disconnect()
      throw error
    }
    client.disconnect()
  }
  throw new Error('the Redis of REDIS_URL has no empty database among 1 to 15')
}

interface Program {
  command: string
  libraries: string
}

async function redisProgram(log: (line: string) => void): Promise<Program> {
  const installed = await exec('redis-server', ['--version']).then(
    () => true,
    () => false,
  )
  if (installed) return { command: 'redis-server', libraries: '' }
  const prefix = `redis-${process.arch}-`
  const found = await cached(prefix)
  if (!found) log('fetching Redis from Debian packages, once')
  const root =
    found ??
    (await buildCached(async (entry, scratch) => {
      const apt = await openApt(scratch)
      await apt.unpack(await apt.missing(['redis-server']), entry)
      return `${prefix}debian`
    }))
  const triplet = (await readdir(`${root}/usr/lib`)).find((name) => name.includes('-linux-'))
  const libraries = triplet ? `${root}/usr/lib/${triplet}` : ''
  return { command: `${root}/usr/bin/redis-server`, libraries }
}

async function startOnFreePort(program: Program, dir: string, password: string) {
  for (let left = 3; ; left--) {
    const port = await freePort()
    try {
      return { port, server: await start(program, dir, password, port) }
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

async function start(program: Program, dir: string, password: string, port: number): Promise<Guarded> {
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir ${dir}`,
    'save ""',
    'appendonly no',
  ]
  // A file, not arguments: those can be read by every user of the machine.
  await writeFile(path.join(dir, 'redis.conf'), `${settings.join('\n')}\n`, { mode: 0o600 })
  const server = await startGuarded({
    command: program.command,
    args: [path.join(dir, 'redis.conf')],
    dir,
    signal: 'TERM',
    env: { LD_LIBRARY_PATH: program.libraries },
  })
  await untilReady(server, dir, () => answers(port))
  return server
}

/** An unauthenticated PING is refused by words as soon as the server serves. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data).startsWith('-NOAUTH'))
    })
    socket.once('error', () => resolve(false))
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')))
  })
}
