import { callErrors } from './errors.ts'

interface Version {
  numbers: [number, number, number]
  /** Identifiers after the hyphen; empty for a release. */
  pre: string[]
}

const VERSION = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,60}))?(?:\+[0-9A-Za-z.-]{1,60})?$/

/** True for a version as semver.org 2.0.0 writes it. */
export function isVersion(text: string): boolean {
  return VERSION.test(text)
}

function parseVersion(text: string): Version {
  const found = VERSION.exec(text)
  if (!found) throw callErrors.badVersion({ what: 'The version', value: text })
  return { numbers: [Number(found[1]), Number(found[2]), Number(found[3])], pre: found[4]?.split('.') ?? [] }
}

/** Precedence as semver.org 2.0.0, section 11: negative when `a` comes before `b`. */
export function compareVersions(a: string, b: string): number {
  return compare(parseVersion(a), parseVersion(b))
}

function compare(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] - b.numbers[i]
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const order = compareIdentifiers(a.pre[i], b.pre[i])
    if (order !== 0) return order
  }
  return 0
}

function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined) return -1
  if (b === undefined) return 1
  const numeric = [a, b].map((part) => /^\d+$/.test(part))
  if (numeric[0] && numeric[1]) return Number(a) - Number(b)
  if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1
  return a < b ? -1 : 1
}

interface Bound {
  operator: '>=' | '>' | '<=' | '<' | '='
  version: Version
}

const PART =
  /^(\^|~|>=|<=|>|<|=)?v?(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?(?:-([0-9A-Za-z.-]{1,60}))?$/

/** A test for versions, from a range such as `1.2.3`, `^1.2`, `~1.2.0`, `1.x`, `>=1.0.0 <2.0.0`, `^1 || ^3` or `*`. */
export function versionRange(range: string): (version: string) => boolean {
  const choices = range.trim() === '' ? [] : range.split('||').map((choice) => boundsOf(choice.trim(), range))
  if (choices.length === 0) throw callErrors.badVersion({ what: 'The range', value: range })
  return (text) => {
    const version = parseVersion(text)
    return choices.some((bounds) => admits(bounds, version))
  }
}

function admits(bounds: Bound[], version: Version): boolean {
  // A pre-release is chosen only by a range that names one of the same release.
  const named = bounds.some((bound) => bound.version.pre.length > 0 && sameRelease(bound.version, version))
  if (version.pre.length > 0 && !named) return false
  return bounds.every((bound) => holds(bound, version))
}

function sameRelease(a: Version, b: Version): boolean {
  return a.numbers.every((number, i) => number === b.numbers[i])
}

function holds({ operator, version: bound }: Bound, version: Version): boolean {
  const order = compare(version, bound)
  if (operator === '=') return order === 0
  if (operator.startsWith('>')) return order > 0 || (order === 0 && operator === '>=')
  return order < 0 || (order === 0 && operator === '<=')
}

function boundsOf(choice: string, range: string): Bound[] {
  const parts = choice.replace(/(\^|~|>=|<=|>|<|=)\s+/g, '$1').split(/\s+/)
  return parts.flatMap((part) => {
    const found = PART.exec(part)
    if (!found) throw callErrors.badVersion({ what: 'The range', value: range })
    const given = found.slice(2, 5).map((text) => (text === undefined || /[xX*]/.test(text) ? undefined : Number(text)))
    return expand(found[1], given, found[5]?.split('.') ?? [])
  })
}

function expand(sign: string | undefined, given: (number | undefined)[], pre: string[]): Bound[] {
  const known = given.indexOf(undefined)
  const count = known < 0 ? 3 : known
  const low: Version = { numbers: [given[0] ?? 0, given[1] ?? 0, given[2] ?? 0], pre }
  if (count === 0) return [{ operator: '>=', version: { numbers: [0, 0, 0], pre: [] } }]
  if (sign === '^') return between(low, Math.min(low.numbers.findIndex((n) => n > 0) >>> 0, count - 1))
  if (sign === '~') return between(low, Math.min(1, count - 1))
  if (sign === undefined || sign === '=')
    return count === 3 ? [{ operator: '=', version: low }] : between(low, count - 1)
  // ">1.2" means above every 1.2.x, "<=1.2" up to every 1.2.x.
  if (count < 3 && sign === '>') return [{ operator: '>=', version: bump(low, count - 1) }]
  if (count < 3 && sign === '<=') return [{ operator: '<', version: bump(low, count - 1) }]
  return [{ operator: sign as Bound['operator'], version: low }]
}

function between(low: Version, place: number): Bound[] {
  return [
    { operator: '>=', version: low },
    { operator: '<', version: bump(low, place) },
  ]
}

/** The first version after all that share the numbers up to `place`; `-0` sorts before its own pre-releases. */
function bump(version: Version, place: number): Version {
  const numbers = version.numbers.map((n, i) => (i < place ? n : i === place ? n + 1 : 0)) as Version['numbers']
  return { numbers, pre: ['0'] }
}

/** The newest of these versions that the range admits (any release without one); undefined when there is none. */
export function newestMatching(versions: readonly string[], range?: string): string | undefined {
  const admitted = versions.filter(versionRange(range ?? '*'))
  return admitted.sort(compareVersions).at(-1)
}
