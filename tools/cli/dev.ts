import { spawn } from 'node:child_process'
import path from 'node:path'
import { ensureToken } from '@story-portal/shared/auth'
import type { Config } from '@story-portal/shared/config'
import { rootDir, toolsDir } from '../launch.js'
import { homeFiles, prepareHome } from './home.ts'
import { followLines, formatLine } from './logs.ts'
import type { Output } from './output.ts'
import { assertPortsFree } from './ports.ts'

/** All servers in one process in the foreground; a saved file drains and restarts it. Ctrl-C ends it. */
export async function runDev(out: Output, config: Config): Promise<number> {
  prepareHome(config.home)
  ensureToken(homeFiles(config.home).token)
  await assertPortsFree(config)
  const child = spawn(process.execPath, ['--watch', '--watch-preserve-output', path.join(toolsDir, 'platform.ts')], {
    cwd: rootDir,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const ended = new Promise<number>((resolve) => {
    child.on('exit', (code) => {
      stop.abort()
      resolve(code ?? 0)
    })
  })
  out.note(`Servers on ports ${config.portBase + 1} and up, data in ${config.home}. Ctrl-C ends it.`)
  for await (const line of followLines(config.log.dir, {}, stop.signal)) {
    process.stdout.write(`${out.json ? line.raw : formatLine(line, out.style)}\n`)
  }
  return ended
}
