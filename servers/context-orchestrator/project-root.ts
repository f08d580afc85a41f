import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'

/**
 * `cwd` and the folders above it up to the nearest that git keeps; without git `cwd` alone. Links are followed first. Worktrees and
 * submodules have a file `.git`.
 */
export function projectFolders(cwd: string): [string, ...string[]] {
  const start = existsSync(cwd) ? realpathSync(cwd) : path.resolve(cwd)
  const folders: [string, ...string[]] = [start]
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (folder !== start) folders.push(folder)
    if (existsSync(path.join(folder, '.git'))) return folders
    if (folder === path.dirname(folder)) return [start]
  }
}
