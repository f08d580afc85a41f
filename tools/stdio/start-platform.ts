import { spawn } from 'node:child_process'
import path from 'node:path'
import { type ErrorBody, fromErrorBody } from '@story-portal/shared/errors'
import type { Logger } from '@story-portal/shared/telemetry'
import { cliErrors } from '../cli/errors.ts'
import { platformNode, rootDir, toolsDir } from '../launch.js'

/**
 * `story-portal up` in a process of its own, which outlives this one: the platform belongs to nobody's session. Its start lock
 * makes two that start at once into one. Rejects with the reason it gives.
 */
export function startPlatform(log: Logger): Promise<void> {
  log.info('starting the platform')
  const child = spawn(platformNode(), [path.join(toolsDir, 'cli', 'main.ts'), 'up', '--json'], {
    cwd: rootDir,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.unref()
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.warn(text.trim()))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(reasonOf(said))))
  })
}

function reasonOf(said: string): Error {
  try {
    return fromErrorBody(JSON.parse(said) as ErrorBody)
  } catch {
    return cliErrors.startFailed({ what: 'The platform', reason: 'its start broke off', crash_log: 'the crash log' })
  }
}
