/** Where a value stands in a JSON text: `text.slice(start, end)`. */
export interface JsonNode {
  start: number
  end: number
  members?: JsonMember[]
  items?: JsonNode[]
}

/** `start` is that of the name, `end` that of the value. */
export interface JsonMember {
  start: number
  end: number
  name: string
  value: JsonNode
}

const GAP = /[ \t\n\r]*/y
const SCALAR = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,\]}]+/y

/** The places of all values of a text that is known to be JSON. */
export function parseTree(text: string): JsonNode {
  let at = 0
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const [found = ''] = pattern.exec(text) ?? []
    at += found.length
    return found
  }
  /** The entries up to the closing bracket; each has consumed itself. */
  const entries = <T>(close: string, entry: () => T): T[] => {
    const found: T[] = []
    at += 1
    for (skip(GAP); text[at] !== close; skip(GAP)) {
      if (text[at] === ',') at += 1
      skip(GAP)
      found.push(entry())
    }
    at += 1
    return found
  }
  const member = (): JsonMember => {
    const start = at
    const name = JSON.parse(skip(SCALAR)) as string
    skip(GAP)
    at += 1
    const value = node()
    return { start, end: value.end, name, value }
  }
  const node = (): JsonNode => {
    skip(GAP)
    const start = at
    if (text[at] === '{') return { start, members: entries('}', member), end: at }
    if (text[at] === '[') return { start, items: entries(']', node), end: at }
    skip(SCALAR)
    return { start, end: at }
  }
  return node()
}

/** The value of a member; of several with one name the last counts, as for JSON.parse. */
export function memberOf(node: JsonNode, name: string): JsonNode | undefined {
  return node.members?.findLast((member) => member.name === name)?.value
}

/** The text with one more entry at the end of an object (`name` given) or a list, written the way its neighbours are. */
export function append(text: string, into: JsonNode, value: unknown, name?: string): string {
  const unit = indentUnit(text)
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const written = (indent: string | undefined) => {
    const key =
      name === undefined ? '' : `${JSON.stringify(name)}:${indent === undefined && isMinified(text) ? '' : ' '}`
    if (indent === undefined) return key + JSON.stringify(value)
    return (
      key +
      JSON.stringify(value, null, unit)
        .split('\n')
        .join(newline + indent)
    )
  }
  const entries = into.members ?? into.items ?? []
  const last = entries.at(-1)
  if (last === undefined) {
    const outer = indentAt(text, into.start)
    const indent = outer + unit
    const inside = isMinified(text) ? written(undefined) : `${newline}${indent}${written(indent)}${newline}${outer}`
    return text.slice(0, into.start + 1) + inside + text.slice(into.end - 1)
  }
  const gap = text.slice(
    entries.at(-2) === undefined ? into.start + 1 : text.lastIndexOf(',', last.start) + 1,
    last.start,
  )
  const indent = gap.includes('\n') ? gap.slice(gap.lastIndexOf('\n') + 1) : undefined
  const before = indent === undefined ? gap : newline + indent
  return `${text.slice(0, last.end)},${before}${written(indent)}${text.slice(last.end)}`
}

/** The text without one entry of an object or list: the exact reverse of `append`, except that an emptied one is left as `{}` or `[]`. */
export function remove(text: string, from: JsonNode, index: number): string {
  const entries = from.members ?? from.items ?? []
  const [previous, entry, next] = [entries[index - 1], entries[index], entries[index + 1]]
  if (entry === undefined) return text
  if (previous !== undefined) return text.slice(0, previous.end) + text.slice(entry.end)
  if (next !== undefined) return text.slice(0, entry.start) + text.slice(next.start)
  return text.slice(0, from.start + 1) + text.slice(from.end - 1)
}

/** What one level is indented by: as the first member of the whole is, else two spaces. */
function indentUnit(text: string): string {
  return /^\s*[{[][^\S\n\r]*\r?\n([ \t]+)/.exec(text)?.[1] ?? '  '
}

/** All on one line, and something is there. */
function isMinified(text: string): boolean {
  return !text.trim().includes('\n') && text.trim().length > 2
}

/** The indentation of the line that a place is on. */
function indentAt(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))?.[0] ?? ''
}
