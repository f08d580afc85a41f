import { execFile } from 'node:child_process'
import { programEnvironment } from '@story-portal/shared/config'

const LIMIT_MS = 5_000
const MOST_BYTES = 32 * 1024 * 1024

/**
 * What git prints about a folder; undefined when it fails: not a repository, no such commit, not installed, not the owner's. Only
 * commands that read objects and the index are given to it: they run no filter, hook or program that a repository names.
 */
export async function git(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  const env = { ...programEnvironment(), LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' }
  return new Promise((resolve) => {
    const all = ['-c', 'core.fsmonitor=false', '-C', folder, ...args]
    const options = { env, timeout: LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: MOST_BYTES } as const
    execFile('git', all, options, (error, stdout) => resolve(error ? undefined : stdout))
  })
}

/** The same, split at its zero bytes; nothing when git fails. */
export async function gitList(folder: string, ...args: readonly string[]): Promise<string[]> {
  const text = await git(folder, ...args)
  return text ? text.split('\0').filter((part) => part !== '') : []
}
