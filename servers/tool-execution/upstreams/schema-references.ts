type Node = Record<string, unknown>

const MAX_NODES = 20_000

/** The object, or what its local `$ref` points to; an empty one when that is nothing. */
export function resolved(document: Node, value: unknown): Node {
  let node = value
  for (let step = 0; step < 10; step++) {
    const ref = isNode(node) ? node['$ref'] : undefined
    if (typeof ref !== 'string') return isNode(node) ? node : {}
    node = pointed(document, ref)
  }
  return {}
}

/**
 * A schema of an OpenAPI document as plain JSON Schema: local references inlined, and `nullable` and the boolean limits of 3.0
 * rewritten. Where a schema contains itself, the inner one takes anything.
 */
export function inlined(document: Node, schema: unknown): unknown {
  let nodes = 0
  const walk = (node: unknown, following: readonly string[]): unknown => {
    if (++nodes > MAX_NODES) return {}
    if (Array.isArray(node)) return node.map((item) => walk(item, following))
    if (!isNode(node)) return node
    const ref = node['$ref']
    if (typeof ref === 'string')
      return following.includes(ref) ? {} : walk(pointed(document, ref) ?? {}, [...following, ref])
    const kept = Object.entries(node).filter(([key]) => !DROPPED.includes(key))
    return modern(node, Object.fromEntries(kept.map(([key, child]) => [key, part(key, child, following)])))
  }
  /** The names in a map of schemas are data: a property may be called example. */
  const part = (key: string, child: unknown, following: readonly string[]): unknown => {
    if (LITERAL.includes(key)) return child
    if (!MAPS.includes(key) || !isNode(child)) return walk(child, following)
    return Object.fromEntries(Object.entries(child).map(([name, schema]) => [name, walk(schema, following)]))
  }
  return walk(schema, [])
}

const DROPPED = ['nullable', 'example', 'examples', 'xml', 'externalDocs', 'discriminator', '$id', '$schema', '$anchor']
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
const LITERAL = ['enum', 'const', 'default']

/** What 3.0 says in its own way. */
function modern(old: Node, schema: Node): Node {
  const result = { ...schema }
  for (const [flag, limit] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof result[flag] !== 'boolean') continue
    if (result[flag]) {
      result[flag] = result[limit]
      delete result[limit]
    } else delete result[flag]
  }
  return old['nullable'] === true ? { anyOf: [result, { type: 'null' }] } : result
}

function pointed(document: Node, ref: string): unknown {
  if (!ref.startsWith('#/')) return undefined
  let node: unknown = document
  for (const part of ref.slice(2).split('/')) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isNode(node) || !Object.hasOwn(node, name)) return undefined
    node = node[name]
  }
  return node
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
