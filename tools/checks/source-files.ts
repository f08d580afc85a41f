import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const root = path.join(import.meta.dirname, '../..')

/** Files git knows or would add, by path from the root, with `/` between folders. */
export function projectFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const output = execFileSync('git', args, { cwd: root, maxBuffer: 64 * 1024 * 1024 })
  const names = new Set(output.toString('utf8').split('\0'))
  return [...names].filter((name) => name !== '' && existsSync(path.join(root, name))).sort()
}

export function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

/** The lockfile at the root and those of packages that only one command installs. */
export function lockfiles(): string[] {
  return projectFiles().filter((file) => path.basename(file) === 'package-lock.json')
}
