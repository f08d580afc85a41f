import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { makeDirectory } from '@story-portal/shared/config'
import { cliErrors } from './errors.ts'

/** What is where in the data directory. */
export function homeFiles(home: string) {
  return {
    token: path.join(home, 'token'),
    logs: path.join(home, 'logs'),
    crashes: path.join(home, 'logs', 'crash'),
    run: path.join(home, 'run'),
    platform: path.join(home, 'run', 'platform.json'),
    processes: path.join(home, 'run', 'processes'),
    failures: path.join(home, 'run', 'failures'),
    hooks: path.join(home, 'hooks'),
  }
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'it can not be made there',
}

/** Makes the data directory (0700) and proves that it can be written; throws E0285 with the reason and the remedy. */
export function prepareHome(home: string): void {
  const files = homeFiles(home)
  try {
    for (const dir of [files.crashes, files.processes, files.failures]) makeDirectory(dir)
    const probe = path.join(files.run, `.probe-${process.pid}`)
    writeFileSync(probe, randomBytes(4096))
    rmSync(probe)
    writeFileSync(path.join(home, '.gitignore'), '*\n')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw cliErrors.homeRefused({ home, reason: REASONS[code] ?? code })
  }
}
