/** Strings longer than this are not matched against a pattern: with the rules below that bounds the worst case. */
export const MAX_MATCHED_LENGTH = 1_024

const MAX_PATTERN_LENGTH = 200
const MAX_UNBOUNDED = 3

/**
 * Why a regular expression of a schema may not be used; undefined when it may. The engine backtracks, so a pattern of a
 * stranger could stop the server: groups are repeated only when nothing in them repeats or branches, nothing looks around or
 * back, and few parts are unbounded, which leaves at most cubic work on strings of bounded length.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `a pattern may have ${MAX_PATTERN_LENGTH} characters`
  if (!compiles(pattern)) return 'a pattern is not a regular expression'
  const bare = withoutClassesAndEscapes(pattern)
  if (/\\[1-9k]/.test(bare)) return 'a pattern may not refer back to a group'
  if (/\(\?[=!<](?!\w+>)/.test(bare)) return 'a pattern may not look ahead or behind'
  if (repeatsComplexGroup(bare)) return 'a pattern may not repeat a group that repeats or branches itself'
  if ((bare.match(/[*+]|\{\d+,\}/g) ?? []).length > MAX_UNBOUNDED)
    return `a pattern may have ${MAX_UNBOUNDED} of *, + and {n,}`
  const repeats = (bare.match(/\{\d+(,\d+)?\}/g) ?? []).map((text) => Number(/(\d+)\}$/.exec(text)?.[1]))
  if (repeats.some((count) => count > 1000)) return 'a pattern may repeat at most 1000 times'
  return undefined
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u')
    return true
  } catch {
    return false
  }
}

/** Only the structure: each class becomes `a`, each escaped character too, except references back. */
function withoutClassesAndEscapes(pattern: string): string {
  return pattern.replace(/\[(?:\\.|[^\]\\])*\]/gs, 'a').replace(/\\([^1-9k])/gs, 'a')
}

interface Group {
  complex: boolean
}

function repeatsComplexGroup(bare: string): boolean {
  const open: Group[] = [{ complex: false }]
  for (let i = 0; i < bare.length; i++) {
    const outer = open.at(-1) as Group
    const char = bare.charAt(i)
    if (char === '(') open.push({ complex: false })
    else if (char === ')' && open.length > 1) {
      const { complex } = open.pop() as Group
      if (complex && repeatAt(bare, i + 1)) return true
      const around = open.at(-1) as Group
      around.complex ||= complex || repeatAt(bare, i + 1)
    } else if (char === '|' || repeatAt(bare, i)) outer.complex = true
  }
  return false
}

/** A single `?` repeats nothing; a counted repetition does. */
function repeatAt(bare: string, at: number): boolean {
  return /^(?:[*+]|\{\d)/.test(bare.slice(at, at + 3))
}
