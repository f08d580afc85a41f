import { readFileSync } from 'node:fs'
import path from 'node:path'
import { lockfiles, read, root } from './source-files.ts'

/** May be part of what we ship under MIT. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Public Domain',
  'Python-2.0',
  'Unlicense',
  'WTFPL',
])

/** By name and licence, with the reason: another licence of the same package must be looked at again. */
const EXCEPTIONS: Record<string, string> = {
  'pm2 AGPL-3.0': 'run as a program of its own, never imported',
  '@modelcontextprotocol/inspector SEE LICENSE IN LICENSE':
    'Apache-2.0 and MIT; run as a program of its own by the referees',
  '@modelcontextprotocol/server-everything SEE LICENSE IN LICENSE':
    'MIT by its README; run as a program of its own by a test',
  '@modelcontextprotocol/server-filesystem SEE LICENSE IN LICENSE':
    'MIT by its README; run as a program of its own by a test',
  '@modelcontextprotocol/server-memory SEE LICENSE IN LICENSE':
    'MIT by its README; run as a program of its own by a test',
  'supergateway (none)': 'MIT by the file LICENSE in it; run as a program of its own by a benchmark',
  'pako (MIT AND Zlib)': 'in a server that a test runs as a program of its own',
  'lightningcss MPL-2.0': 'only with the test runner, unchanged',
  'caniuse-lite CC-BY-4.0': 'data, only with the test runner',
  '@event-driven-io (none)':
    'MIT in its repository, not said in its packages; a peer that the benchmarks measure beside',
}

type Named = string | { type: string }

interface Manifest {
  license?: Named | Named[]
  licence?: Named | Named[]
  licenses?: Named[]
}

interface LockEntry {
  link?: boolean
  /** What the package's manifest says, as npm noted it down. */
  license?: string
}

/** Every package of every lockfile has a licence we may ship with, or an exception with its reason. */
export function checkLicences(): string[] {
  return lockfiles().flatMap((file) => {
    const { packages } = JSON.parse(read(file)) as { packages: Record<string, LockEntry> }
    return Object.entries(packages)
      .filter(([name, entry]) => name.includes('node_modules/') && !entry.link)
      .flatMap(([name, entry]) => licenceFault(path.join(path.dirname(file), name), entry))
  })
}

function licenceFault(location: string, entry: LockEntry): string[] {
  const name = location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const manifest = installedManifest(location)
  // Not installed here: another platform's package, or one that another command installs.
  const licence = manifest ? licenceOf(manifest) : (entry.license ?? '')
  const plain = name.replace(/^(lightningcss)-.*/, '$1').replace(/^(@event-driven-io)\/.*/, '$1')
  if ((!manifest && licence === '') || allowed(licence) || EXCEPTIONS[`${plain} ${licence || '(none)'}`]) return []
  return [`${location}: licence ${licence || '(none)'} is not on the list`]
}

function installedManifest(location: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(path.join(root, location, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Old packages spell the field `licence` or `licenses`, and list objects. */
function licenceOf({ license, licence, licenses }: Manifest): string {
  const given = license ?? licence ?? licenses ?? []
  const names = (Array.isArray(given) ? given : [given]).map((one) => (typeof one === 'string' ? one : one.type))
  return names.join(' OR ')
}

/** `(MIT OR GPL-2.0)`: one allowed choice will do. `MIT AND ISC`: all must be. */
function allowed(expression: string): boolean {
  const inner = expression.replace(/^\((.*)\)$/, '$1')
  if (inner.includes(' AND ')) return inner.split(' AND ').every((part) => allowed(part.trim()))
  return inner.split(' OR ').some((part) => ALLOWED.has(part.trim().replace(/^\((.*)\)$/, '$1')))
}
