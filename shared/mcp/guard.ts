import { mcpErrors } from './errors.ts'

export interface GuardLimits {
  maxBytes: number
  maxDepth: number
}

interface Frame {
  value: object
  path: string
  depth: number
  entries: Iterator<[string, unknown]>
}

/**
 * Refuses what no tool should ever see: values that are not plain JSON, cycles, more than `maxDepth` levels, more than about
 * `maxBytes` of text, lone surrogates and NUL (PostgreSQL stores neither), and `__proto__` keys. It walks with its own stack,
 * so a hostile depth costs nothing before it is refused. Every refusal names the path.
 */
export function guardArguments(root: unknown, limits: GuardLimits): void {
  const open = new Set<object>()
  const stack: Frame[] = []
  let bytes = 0

  const visit = (value: unknown, path: string, depth: number): void => {
    bytes += scalarBytes(value, path)
    if (bytes > limits.maxBytes)
      throw mcpErrors.tooLarge({ limit_bytes: limits.maxBytes }, at(path, 'too large from here on'))
    if (typeof value !== 'object' || value === null) return
    if (open.has(value)) throw mcpErrors.cyclic({}, at(path, 'refers to something that contains it'))
    if (depth > limits.maxDepth) throw mcpErrors.tooDeep({ limit: limits.maxDepth }, at(path, 'too deep'))
    open.add(value)
    stack.push({ value, path, depth, entries: entriesOf(value, path) })
  }

  visit(root, '', 1)
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const next = frame.entries.next()
    if (next.done) {
      open.delete(frame.value)
      stack.pop()
      continue
    }
    const [key, child] = next.value
    const path = childPath(frame, key)
    if (!Array.isArray(frame.value)) bytes += keyBytes(key, path)
    visit(child, path, frame.depth + 1)
  }
}

function childPath(parent: Frame, key: string): string {
  if (Array.isArray(parent.value)) return `${parent.path}[${key}]`
  const name = key.length > 60 ? `${key.slice(0, 59)}…` : key
  // Past a few hundred characters a path helps nobody, and a path per level of a deep value would cost the square of its depth.
  if (parent.path.length > 300) return parent.path
  return parent.path === '' ? name : `${parent.path}.${name}`
}

function* entriesOf(value: object, path: string): Iterator<[string, unknown]> {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) yield [String(index), value[index]]
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw notJson(path, 'is not a plain object')
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key]
    if (child !== undefined) yield [key, child]
  }
}

function scalarBytes(value: unknown, path: string): number {
  switch (typeof value) {
    case 'string':
      return textBytes(value, path) + 2
    case 'number':
      if (!Number.isFinite(value)) throw notJson(path, 'is not a finite number')
      return 8
    case 'boolean':
      return 5
    case 'object':
      return 4
    default:
      throw notJson(path, `is a ${typeof value}, which JSON does not have`)
  }
}

function keyBytes(key: string, path: string): number {
  if (key === '__proto__') throw notJson(path, 'the name __proto__ is not allowed')
  return textBytes(key, path) + 3
}

function textBytes(text: string, path: string): number {
  if (!text.isWellFormed()) throw notJson(path, 'is not well-formed Unicode (a lone surrogate)')
  if (text.includes('\0')) throw notJson(path, 'contains a NUL character')
  return text.length
}

function notJson(path: string, message: string) {
  return mcpErrors.notJson({ summary: `${path === '' ? 'the arguments' : path} ${message}.` }, at(path, message))
}

function at(path: string, message: string) {
  return { details: { faults: [{ path, message }] } }
}
