import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Config, loadConfig } from '../config/index.ts'
import { createLogger } from '../telemetry/index.ts'

/** The clone. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export const silentLog = createLogger({ name: 'test', level: 'silent' })

const homes: string[] = []
process.once('exit', () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

function freshHome(): string {
  const home = mkdtempSync(path.join(tmpdir(), 'story-portal-test-'))
  homes.push(home)
  return home
}

/** A configuration with everything at its default and a home of its own under the system's temporary directory, gone with the process. */
export function testConfig(env: Record<string, string> = {}): Config {
  const home = env['STORY_PORTAL_HOME'] ?? freshHome()
  return loadConfig({ root: ROOT, env: { STORY_PORTAL_LOG_LEVEL: 'silent', ...env, STORY_PORTAL_HOME: home } })
}
