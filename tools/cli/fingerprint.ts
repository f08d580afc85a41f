import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** What runs, in the parts a person can understand when they differ. */
export interface Fingerprint {
  version: string
  node: string
  lockfile: string
  /** The program text itself: a `git pull` that bumps no version still has to reach the running processes. */
  code: string
  settings: string
}

const WORDS: Record<keyof Fingerprint, (from: string, to: string) => string> = {
  version: (from, to) => `version ${from} -> ${to}`,
  node: (from, to) => `Node ${from} -> ${to}`,
  lockfile: () => 'the installed packages changed',
  code: () => 'the code changed',
  settings: () => 'the settings changed',
}

export function fingerprint(root: string, node: string, settings: unknown): Fingerprint {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    version: manifest.version,
    node,
    lockfile: hashFiles(root, ['package-lock.json']),
    code: hashFiles(root, sources(root)),
    settings: hash(JSON.stringify(settings)),
  }
}

/** In words what is different, empty when nothing is. */
export function differences(running: Partial<Fingerprint>, wanted: Fingerprint): string[] {
  return (Object.keys(WORDS) as (keyof Fingerprint)[])
    .filter((part) => running[part] !== wanted[part])
    .map((part) => WORDS[part](running[part] ?? '?', wanted[part]))
}

function sources(root: string): string[] {
  return ['servers', 'shared', 'migrations', 'tools'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|js|json)$/.test(entry.name) && !/\.test\.ts$/.test(entry.name))
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
      .filter((file) => !/(^|\/)node_modules\/|^tools\/cli\/|^shared\/testing\//.test(file)),
  )
}

function hashFiles(root: string, files: readonly string[]): string {
  const sum = createHash('sha256')
  for (const file of [...files].sort()) {
    sum.update(file).update('\0')
    try {
      sum.update(readFileSync(path.join(root, file)))
    } catch {
      // A file that vanished between listing and reading changes the sum by its absence.
    }
  }
  return sum.digest('hex').slice(0, 16)
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)
