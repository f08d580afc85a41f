import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectory } from '../config/index.ts'
import { authErrors } from './errors.ts'

const TOKEN = /^spt_[A-Za-z0-9_-]{43}$/

/**
 * The bearer token of the local user, made on first use. Written beside and linked into place, so that of two processes
 * starting together one wins and both read the whole token; readable by this user only (0600).
 */
export function ensureToken(path: string): string {
  try {
    const known = readToken(path)
    if (known !== undefined) return known
    makeDirectory(dirname(path))
    const token = `spt_${randomBytes(32).toString('base64url')}`
    const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
    writeFileSync(draft, `${token}\n`, { mode: 0o600, flag: 'wx' })
    try {
      linkSync(draft, path)
      return token
    } catch (error) {
      const winner = readToken(path)
      if (winner === undefined) throw error
      return winner
    } finally {
      unlinkSync(draft)
    }
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason'
    throw authErrors.noToken({ path, reason }, { cause: error })
  }
}

/** The token in the file, or undefined when there is none. A file that others could read is closed to them first. */
export function readToken(path: string): string | undefined {
  try {
    const token = readFileSync(path, 'utf8').trim()
    if (!TOKEN.test(token)) {
      // Cut short by a crash of an older version or edited by hand: no request could match it, so it is replaced.
      unlinkSync(path)
      return undefined
    }
    chmodSync(path, 0o600)
    return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Compares a secret with what is given, in a time that depends on neither. Hashing first makes unequal lengths comparable too. */
export function secretMatcher(secret: string): (given: string) => boolean {
  const expected = hash('sha256', secret, 'buffer')
  return (given) => timingSafeEqual(hash('sha256', given, 'buffer'), expected)
}
