import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '@story-portal/shared/config'
import { faults } from '../errors.ts'

export interface SecretKey {
  /** Says under which key something was sealed, and nothing about the key. */
  id: string
  bytes: Buffer
}

const keys = new WeakMap<Config, SecretKey>()

/**
 * The key of this installation: STORY_PORTAL_SECRET_KEY, or that of <home>/secret-key (0600), made on first use so that of two
 * processes one wins. Throws E3051 when it can neither be read nor made.
 */
export function secretKeyOf(config: Config): SecretKey {
  const known = keys.get(config)
  if (known) return known
  const bytes = Buffer.from(config.secretKey ?? ensureKeyFile(path.join(config.home, 'secret-key')), 'base64')
  const key = { id: createHash('sha256').update('key id').update(bytes).digest('hex').slice(0, 16), bytes }
  keys.set(config, key)
  return key
}

function ensureKeyFile(file: string): string {
  try {
    const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
    writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true })
    try {
      linkSync(draft, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      unlinkSync(draft)
    }
    chmodSync(file, 0o600)
    const key = readFileSync(file, 'utf8').trim()
    if (Buffer.from(key, 'base64').length !== 32)
      throw Object.assign(new Error('not a key'), { code: 'it holds no key' })
    return key
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason'
    throw faults.noSecretKey({ file, reason }, { cause: error })
  }
}
