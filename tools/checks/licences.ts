import { readFileSync } from 'node:fs'
import path from 'node:path'
import { read, root } from './source-files.ts'

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
  'lightningcss MPL-2.0': 'only with the test runner, unchanged',
  'caniuse-lite CC-BY-4.0': 'data, only with the test runner',
}

type Named = string | { type: string }

interface Manifest {
  name: string
  license?: Named | Named[]
  licence?: Named | Named[]
  licenses?: Named[]
}

/** Every installed package has a licence we may ship with, or an exception with its reason. */
export function checkLicences(): string[] {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { link?: boolean }> }
  return Object.entries(packages)
    .filter(([name, entry]) => name.includes('node_modules/') && !entry.link)
    .flatMap(([name]) => licenceFault(name))
}

function licenceFault(location: string): string[] {
  let manifest: Manifest
  try {
    manifest = JSON.parse(readFileSync(path.join(root, location, 'package.json'), 'utf8'))
  } catch {
    // Another platform's package, not installed here.
    return []
  }
  const licence = licenceOf(manifest)
  const plain = manifest.name.replace(/^(lightningcss)-.*/, '$1')
  if (allowed(licence) || EXCEPTIONS[`${plain} ${licence}`]) return []
  return [`${location}: licence ${licence || '(none)'} is not on the list`]
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
