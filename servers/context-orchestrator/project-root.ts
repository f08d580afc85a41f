import { existsSync } from 'node:fs'
import path from 'node:path'

/** The nearest folder above (or at) `cwd` that git keeps, else `cwd` itself. Worktrees and submodules have a file `.git`. */
export function findProjectRoot(cwd: string): string {
  const start = path.resolve(cwd)
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.git'))) return folder
    if (folder === path.dirname(folder)) return start
  }
}
