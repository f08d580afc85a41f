import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface RepositoryFile {
  path: string
  bytes: number
  lines: number
}

export interface Repository {
  files: RepositoryFile[]
  /** `[importer, imported]` as indexes into `files`. */
  imports: [number, number][]
}

const MAX_FILES = 2_000
const SKIPPED = /(^|\/)(node_modules|\.git|\.cache|\.story-portal|coverage)(\/|$)/
const IMPORT = /\bfrom '(\.{1,2}\/[^']+|@story-portal\/shared\/[a-z-]+)'/g

/** The files of this repository as they are now, and which of them import which. */
export function readRepository(root: string): Repository {
  const paths = listFiles(root).slice(0, MAX_FILES)
  const index = new Map(paths.map((file, i) => [file, i]))
  const imports: [number, number][] = []
  const files = paths.map((file, from) => {
    const text = readFileSync(path.join(root, file), 'utf8')
    for (const [, target = ''] of file.endsWith('.ts') ? text.matchAll(IMPORT) : []) {
      const to = index.get(resolve(file, target))
      if (to !== undefined) imports.push([from, to])
    }
    return { path: file, bytes: Buffer.byteLength(text), lines: text.split('\n').length }
  })
  return { files, imports }
}

function resolve(from: string, target: string): string {
  const shared = /^@story-portal\/shared\/(.+)$/.exec(target)?.[1]
  return shared ? `shared/${shared}/index.ts` : path.posix.join(path.posix.dirname(from), target)
}

/** What git knows; in a copy without git, everything that is not installed or generated. */
function listFiles(root: string): string[] {
  try {
    const tracked = execFileSync('git', ['ls-files', '-z'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 16 * 1024 * 1024,
    }).split('\0')
    const present = new Set(walk(root))
    return tracked.filter((file) => present.has(file))
  } catch {
    return walk(root)
  }
}

function walk(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((file) => !SKIPPED.test(file))
    .sort()
}
