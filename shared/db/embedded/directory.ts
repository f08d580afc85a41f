import { accessSync, constants } from 'node:fs'
import { makeDirectory } from '../../config/index.ts'
import { dbErrors } from '../errors.ts'
import { type DirectoryLock, type LockHolder, takeLock } from './lock.ts'

/** Makes the data directory where there is none and takes its lock; every way this fails has its own coded error. */
export function claimDirectory(home: string): DirectoryLock {
  let outcome: DirectoryLock | LockHolder
  try {
    makeDirectory(home)
    accessSync(home, constants.W_OK | constants.X_OK)
    outcome = takeLock(home)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
    if (reason === 'ENOSPC' || reason === 'EDQUOT') throw dbErrors.diskFull({}, { cause: error })
    throw dbErrors.notWritable({ home, reason }, { cause: error })
  }
  if ('release' in outcome) return outcome
  const { pid, since, host } = outcome
  throw dbErrors.locked({ home, pid, since }, { details: { home, pid, since, host } })
}
