import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { startPostgres } from '../../../shared/testing/postgres.ts'
import { startRedis } from '../../../shared/testing/redis.ts'
import { freePortBase } from '../../../tools/cli/ports.ts'
import { descendants } from '../../../tools/cli/processes.ts'
import { committedServers } from '../../../tools/registry.ts'
import { plainEnv, root, run } from '../../e2e/under-test.ts'

const KILL_POINTS = pathToFileURL(fileURLToPath(new URL('./kill-points.js', import.meta.url))).href
const SERVER = 'tool-execution'
/** Has the reconciler, which finds what a dead worker has left. */
const RECONCILER = 'runtime'
/** For somebody to come by an armed point. */
const PATIENCE_MS = 20_000

/** One process that serves tool-execution, started again whenever it dies. */
export interface Worker {
  connect(): Promise<Client>
  /** Of its sandbox. */
  sandboxPids(): number[]
}

export interface Workers {
  all: readonly Worker[]
  /** Where the process that reaches an armed point leaves its mark. */
  folder: string
  /** When all serve again: who is killed while it starts can not be killed at a point. */
  ready(): Promise<void>
  deaths(): number
  /** Processes that ended without being killed by a signal, in words. */
  strange(): readonly string[]
  stop(): Promise<void>
}

/** `count` worker processes over one private PostgreSQL and Redis. */
export async function startWorkers(count: number, settings: Record<string, string>): Promise<Workers> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'story-portal-points-'))
  const [postgres, redis] = await Promise.all([startPostgres({ own: true }), startRedis({ own: true })])
  const shared = {
    ...plainEnv(),
    ...{ DATABASE_URL: postgres.url, REDIS_URL: redis.url, STORY_PORTAL_SERVICE_KEY: 'x'.repeat(48) },
    ...{ STORY_PORTAL_TEST_KILL_DIR: folder, ...settings },
  }
  const migrated = await run([path.join(root, 'tools/story-portal.js'), 'migrate'], {
    ...shared,
    STORY_PORTAL_HOME: path.join(folder, 'migrate'),
  })
  if (migrated.code !== 0) throw new Error(`migrate: ${migrated.stderr}`)
  const state = { stopping: false, deaths: 0, strange: [] as string[] }
  const started: ReturnType<typeof keepRunning>[] = []
  for (let i = 0; i < count; i++) {
    const home = path.join(folder, `home-${i}`)
    const env = { ...shared, STORY_PORTAL_HOME: home, STORY_PORTAL_PORT_BASE: String(await freePortBase('127.0.0.1')) }
    started.push(keepRunning(SERVER, env, state))
  }
  // In a home of its own, and never killed: it is not what is tried.
  const home = path.join(folder, 'reconciler')
  const env = { ...shared, STORY_PORTAL_HOME: home, STORY_PORTAL_PORT_BASE: String(await freePortBase('127.0.0.1')) }
  const reconciler = keepRunning(RECONCILER, env, state)
  await Promise.all([...started, reconciler].map(({ worker }) => untilReady(worker)))
  return {
    all: started.map(({ worker }) => worker),
    folder,
    ready: async () => void (await Promise.all(started.map(({ worker }) => untilReady(worker)))),
    deaths: () => state.deaths,
    strange: () => state.strange,
    async stop() {
      state.stopping = true
      await Promise.all([...started, reconciler].map(({ end }) => end()))
      await Promise.all([postgres.stop(), redis.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface State {
  stopping: boolean
  deaths: number
  strange: string[]
}

function keepRunning(server: string, env: Record<string, string>, state: State) {
  const port =
    Number(env['STORY_PORTAL_PORT_BASE']) + (committedServers().find(({ name }) => name === server)?.port ?? 0)
  let child: ChildProcess
  let ended: Promise<void>
  const start = () => {
    child = spawn(
      process.execPath,
      [...(server === SERVER ? ['--import', KILL_POINTS] : []), path.join(root, 'tools/serve.ts'), server],
      {
        cwd: root,
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let stderr = ''
    child.stderr?.on('data', (text: Buffer) => {
      stderr = (stderr + text).slice(-2_000)
    })
    ended = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        resolve()
        if (state.stopping) return
        if (signal === 'SIGKILL') state.deaths += 1
        else state.strange.push(`a worker ended with ${code ?? signal}: ${stderr}`)
        start()
      }),
    )
  }
  start()
  const worker: Worker = {
    async connect() {
      const token = readFileSync(path.join(env['STORY_PORTAL_HOME'] ?? '', 'token'), 'utf8').trim()
      const client = new Client(
        { name: 'exactly-once', version: '1' },
        { versionNegotiation: { mode: { pin: '2026-07-28' } } },
      )
      const requestInit = { headers: { Authorization: `Bearer ${token}` } }
      await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), { requestInit }))
      return client
    },
    sandboxPids: () => (child.pid === undefined ? [] : descendants(child.pid)),
  }
  const end = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(late)
  }
  return { worker, end }
}

async function untilReady(worker: Worker): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; ) {
    try {
      await (await worker.connect()).close()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(100)
    }
  }
}

/** Arms a point and waits until a process has died there; false when none came by in time. */
export async function killAt({ folder }: Workers, point: string, over: AbortSignal): Promise<boolean> {
  const hits = () => readdirSync(folder).filter((name) => name.startsWith(`${point}.`)).length
  const before = hits()
  const armed = path.join(folder, 'armed')
  writeFileSync(armed, point)
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline && !over.aborted; ) {
    if (hits() > before) return true
    await sleep(10)
  }
  rmSync(armed, { force: true })
  return existsSync(folder) && hits() > before
}
