import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Config, loadConfig } from '../config/index.ts'
import { createLogger } from '../telemetry/index.ts'

/** The clone. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export const silentLog = createLogger({ name: 'test', level: 'silent' })

/** A configuration with everything at its default and a home of its own under the system's temporary directory. */
export function testConfig(env: Record<string, string> = {}): Config {
  const home = env['STORY_PORTAL_HOME'] ?? mkdtempSync(path.join(tmpdir(), 'story-portal-test-'))
  return loadConfig({ root: ROOT, env: { STORY_PORTAL_LOG_LEVEL: 'silent', ...env, STORY_PORTAL_HOME: home } })
}
