import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const DISK = 'STORY_PORTAL_TEST_CHAOS_DISK'
/** Room for the data directory of an embedded platform and what an hour of load adds to it. */
const SIZE = '1536m'

/** The small file system that this process was given; undefined outside of `inOwnMounts`. */
export const ownDisk = (): string | undefined => process.env[DISK]

/** Mounting needs root; inside a user namespace PostgreSQL could not be given to another user. */
export const canMount = (): boolean => process.platform === 'linux' && process.getuid?.() === 0

/** Runs this program again with a small file system of its own, which ends with it, however it ends. Resolves with its exit code. */
export async function inOwnMounts(program: string, args: readonly string[]): Promise<number> {
  const disk = mkdtempSync(path.join(os.tmpdir(), 'story-portal-disk-'))
  const mount = `mount -t tmpfs -o size=${SIZE} tmpfs "$0" && exec "$@"`
  const command = ['--mount', 'sh', '-c', mount, disk, process.execPath, program, ...args]
  const child = spawn('unshare', command, { stdio: 'inherit', env: { ...process.env, [DISK]: disk } })
  // A terminal tells the whole group; anybody else tells only us.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal))
  }
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(127))
    child.once('exit', (status) => resolve(status ?? 1))
  })
  rmSync(disk, { recursive: true, force: true })
  return code
}
