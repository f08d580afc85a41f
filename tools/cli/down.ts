import { rmSync } from 'node:fs'
import type { Config } from '@story-portal/shared/config'
import { cliErrors } from './errors.ts'
import { homeFiles } from './home.ts'
import { readPlatformFile, runningProcesses } from './platform-state.ts'
import { daemonPid, pm2 } from './pm2.ts'
import { allGone, commandLine, descendants, endProcesses } from './processes.ts'
import { withStartLock } from './start-lock.ts'

export interface DownResult {
  /** How many processes ended; 0 when nothing ran. */
  ended: number
}

/** A draining server may take this long before it is killed; more than the drain limit of the configuration. */
const DRAIN_MS = 30_000

/** Ends the platform of this home with its supervisor, workers and leftovers of killed runs; nothing of it stays. */
export async function down(config: Config, onWait?: (pid: number) => void): Promise<DownResult> {
  const runs = daemonPid(config.home) !== undefined || runningProcesses(config.home).length > 0
  if (!runs && !readPlatformFile(config.home)) return { ended: 0 }
  return withStartLock(config.home, async () => ({ ended: await stopPlatform(config.home) }), onWait ? { onWait } : {})
}

/** Without the lock: for those who hold it. Returns how many processes ended. */
export async function stopPlatform(home: string): Promise<number> {
  const daemon = daemonPid(home)
  const own = runningProcesses(home)
    .map(({ pid }) => pid)
    .filter(isOurs)
  const roots = [...new Set([...(daemon === undefined ? [] : [daemon]), ...own])]
  const everyone = [...new Set([...roots, ...roots.flatMap(descendants)])]
  if (daemon !== undefined) {
    await pm2(home, ['kill'])
    if (!(await allGone([daemon], 2_000))) await endProcesses([daemon], 'SIGTERM', 3_000)
  }
  // What a killed supervisor left behind, and workers whose parent was killed.
  const left = await endProcesses(own, 'SIGTERM', DRAIN_MS)
  const stuck = [...left, ...(await endProcesses(everyone, 'SIGTERM', 3_000))]
  rmSync(homeFiles(home).platform, { force: true })
  if (stuck.length > 0) throw cliErrors.stillRunning({ pids: [...new Set(stuck)].join(', ') })
  return everyone.length
}

/** A number from a file may be another program's by now. */
function isOurs(pid: number): boolean {
  const command = commandLine(pid)
  return command === '' || /ProcessContainerFork|tools[\\/](platform|serve)\.ts/.test(command)
}
