import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Config, loadConfig } from '@story-portal/shared/config'
import { tellStory } from '../demo/story.ts'
import { rootDir } from '../launch.js'
import { down } from './down.ts'
import type { Output } from './output.ts'
import { platformStatus } from './platform-state.ts'
import { freePortBase } from './ports.ts'
import { up } from './up.ts'

/** The story on the platform that runs; without one, on a temporary one that is stopped and removed afterwards. */
export async function runDemo(out: Output, config: Config): Promise<void> {
  const { servers } = await platformStatus(config, '')
  if (servers.every((server) => server.state === 'ready')) {
    await tellStory(out, config, `the one that runs, data in ${config.home}`)
    return
  }
  const home = mkdtempSync(path.join(tmpdir(), 'story-portal-demo-'))
  const env = {
    ...process.env,
    STORY_PORTAL_HOME: home,
    STORY_PORTAL_PORT_BASE: String(await freePortBase('127.0.0.1')),
  }
  const own = loadConfig({ env, root: rootDir })
  const close = async () => {
    await down(own)
    rmSync(home, { recursive: true, force: true })
  }
  const interrupt = () => void close().finally(() => process.exit(130))
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  try {
    out.note('No platform runs here: starting a temporary one ...')
    await up(own, out, env)
    await tellStory(out, own, 'a temporary one, removed at the end')
  } finally {
    await close()
  }
}
