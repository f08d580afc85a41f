import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ServerManifest } from '@story-portal/shared/mcp'
import { freePortBase } from '../../tools/cli/ports.ts'
import { committedServers } from '../../tools/registry.ts'
import { copyOfRepository } from '../e2e/copy-of-repository.ts'
import { plainEnv, type UnderTest, underTest } from '../e2e/under-test.ts'
import { Client } from './client.ts'
import { Load } from './load/load.ts'
import type { Mode } from './options.ts'
import { type Receiver, startReceiver } from './receiver.ts'
import { type Services, startServices } from './services.ts'

const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url))

/** Short, so that what a dead worker held is taken over while the run still looks. */
const LEASES = { STORY_PORTAL_LEASE_MS: '2000', STORY_PORTAL_RECONCILE_MS: '500' }

/** One platform that is about to suffer, with everything around it that does not. */
export interface Subject {
  mode: Mode
  /** The tree its programs are run from: a copy of this repository with one more server, which has effects outside. */
  tree: string
  home: string
  platform: UnderTest
  servers: readonly ServerManifest[]
  /** Only distributed. */
  services: Services | undefined
  receiver: Receiver
  client: Client
  load: Load
  /** A small file system of its own that holds the data directory; undefined when none could be mounted. */
  disk: string | undefined
  /** JSON of milliseconds by server name, read by the preloaded clock. */
  clockFile: string
  dispose(): Promise<void>
}

/** Builds the tree, starts services, receiver and platform. What was started is ended again when something fails. */
export async function startSubject(mode: Mode, disk: string | undefined): Promise<Subject> {
  const undo: (() => unknown)[] = []
  const dispose = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    return { ...(await assemble(mode, disk, undo)), dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function assemble(mode: Mode, disk: string | undefined, undo: (() => unknown)[]) {
  const tree = await treeWithOutside()
  undo.push(() => rmSync(tree, { recursive: true, force: true }))
  const outside = mkdtempSync(path.join(os.tmpdir(), 'story-portal-chaos-'))
  undo.push(() => rmSync(outside, { recursive: true, force: true }))
  const receiver = await startReceiver(path.join(outside, 'receiver.jsonl'))
  undo.push(() => receiver.stop())

  const servers = committedServers(tree)
  // The server that is added has the number after those of the suite.
  const base = await freePortBase('127.0.0.1', 15)
  const services = mode === 'distributed' ? await startServices(servers, base) : undefined
  if (services) undo.push(() => services.stop())

  const home = disk === undefined ? path.join(outside, 'home') : path.join(disk, mode)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const clockFile = path.join(outside, 'clock.json')
  writeFileSync(clockFile, '{}')
  const settings = {
    ...LEASES,
    ...services?.settings,
    STORY_PORTAL_PORT_BASE: String(base),
    STORY_PORTAL_TEST_RECEIVER: receiver.url,
    STORY_PORTAL_TEST_CLOCK: clockFile,
    NODE_OPTIONS: `--import=${pathToFileURL(path.join(FIXTURES, 'skewed-clock.js')).href}`,
  }
  const platform = await underTest(settings, { from: tree, home })
  undo.push(() => platform.dispose())
  const up = await platform.cli('up', '--json')
  if (up.code !== 0) throw new Error(`the platform did not start: ${up.stdout}${up.stderr}`)
  const client = new Client(home, new Map(servers.map(({ name, port }) => [name, base + port])))
  const load = new Load({ client, receiver, home, tree, env: platform.env })
  undo.push(() => load.abandon())
  return { mode, tree, home, platform, servers, services, receiver, client, load, disk, clockFile }
}

/** The registry is the folder, so a server that only this run has needs a tree that only this run has. */
async function treeWithOutside(): Promise<string> {
  const tree = copyOfRepository('chaos-tree')
  cpSync(path.join(FIXTURES, 'outside'), path.join(tree, 'servers', 'outside'), { recursive: true })
  const generate = spawn(process.execPath, ['tools/gen.ts'], { cwd: tree, env: plainEnv(), stdio: 'ignore' })
  const [code] = (await once(generate, 'exit')) as [number]
  if (code !== 0) throw new Error('the tools of the outside server could not be generated')
  return tree
}
