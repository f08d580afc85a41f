/** A path such as `tasks.fetch.output.items[0]`, split: names and indexes. */
export type Path = readonly (string | number)[]

const FIRST = /[A-Za-z_][\w-]*/y
const NEXT = /\.([A-Za-z_][\w-]*|\d+)|\[(\d+)\]|\["((?:[^"\\]|\\["\\])*)"\]/y

/** Reads one path at `from`; `end` is the first character after it. Undefined when there is none. */
export function readPath(text: string, from: number): { path: Path; end: number } | undefined {
  FIRST.lastIndex = from
  const first = FIRST.exec(text)
  if (!first) return undefined
  const path: (string | number)[] = [first[0]]
  let end = FIRST.lastIndex
  for (;;) {
    NEXT.lastIndex = end
    const part = NEXT.exec(text)
    if (!part) return { path, end }
    path.push(segment(part))
    end = NEXT.lastIndex
  }
}

/** The whole text as one path, or undefined. */
export function parsePath(text: string): Path | undefined {
  const read = readPath(text, 0)
  return read && read.end === text.length ? read.path : undefined
}

export function printPath(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')
}

/** Follows own members only, so that no path reaches a prototype; `length` of lists and texts is the one extra. */
export function lookUp(root: unknown, path: Path): unknown {
  let value = root
  for (const part of path) {
    if (value === null || value === undefined) return undefined
    if (part === 'length' && (Array.isArray(value) || typeof value === 'string')) value = value.length
    else if (typeof value === 'object' && Object.hasOwn(value, part)) value = (value as Record<string, unknown>)[part]
    else return undefined
  }
  return value
}

function segment(part: RegExpExecArray): string | number {
  if (part[2] !== undefined) return Number(part[2])
  if (part[3] !== undefined) return part[3].replace(/\\(["\\])/g, '$1')
  const name = part[1] ?? ''
  return /^\d+$/.test(name) ? Number(name) : name
}
