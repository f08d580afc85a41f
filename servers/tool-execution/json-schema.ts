import { schemaFault } from '@story-portal/shared/data'
import type { Fault } from '@story-portal/shared/errors'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { faults } from './errors.ts'
import { MAX_MATCHED_LENGTH, patternFault } from './pattern-guard.ts'

export type JsonSchema = Record<string, unknown>

const MAX_BYTES = 65_536
const MAX_DEPTH = 32
/** Schemas after following every reference: references to references may multiply. */
const MAX_NODES = 5_000
const MAX_UNIQUE_ITEMS = 1_000

const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
const SINGLE = [
  'items',
  'contains',
  'additionalProperties',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
]
const FORBIDDEN = [
  '$id',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  '$recursiveRef',
  '$recursiveAnchor',
  '$vocabulary',
]

/** Throws E3040 unless the schema is one that this process can check data against without being stopped by it. */
export function checkSchema(schema: JsonSchema, field: string): void {
  const reason = unusable(schema)
  if (reason) throw badSchema(field, [{ path: field, message: reason }])
  const ajv = validator()
  if (!ajv.validateSchema(withoutDialect(schema))) {
    const found = (ajv.errors ?? []).slice(0, 20).map((error) => schemaFault(error, field))
    // Of several things wrong in one place, the first is the cause and the others follow from it.
    throw badSchema(
      field,
      found.filter(({ path }, i) => found.findIndex((other) => other.path === path) === i),
    )
  }
  try {
    ajv.compile(withoutDialect(schema))
  } catch (error) {
    throw badSchema(field, [{ path: field, message: 'can not be compiled' }], error)
  }
}

function badSchema(field: string, found: Fault[], cause?: unknown) {
  const [first] = found
  const reason = first === undefined || first.path === field ? (first?.message ?? '') : `${first.path} ${first.message}`
  return faults.badSchema({ field, reason }, { details: { faults: found }, ...(cause === undefined ? {} : { cause }) })
}

function unusable(schema: JsonSchema): string | undefined {
  if (JSON.stringify(schema).length > MAX_BYTES) return `it is larger than ${MAX_BYTES} bytes`
  const walk: Walk = { root: schema, nodes: 0, following: new Set() }
  return walkSchema(schema, 0, walk)
}

interface Walk {
  root: JsonSchema
  nodes: number
  /** References being followed: meeting one again is a cycle. */
  following: Set<string>
}

function walkSchema(node: unknown, depth: number, walk: Walk): string | undefined {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return undefined
  const schema = node as JsonSchema
  walk.nodes += 1
  if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH}`
  if (walk.nodes > MAX_NODES) return `with its references followed it has more than ${MAX_NODES} parts`
  return keywordFault(schema) ?? referenceFault(schema, depth, walk) ?? childFault(schema, depth, walk)
}

function keywordFault(schema: JsonSchema): string | undefined {
  const forbidden = FORBIDDEN.find((keyword) => keyword in schema)
  if (forbidden) return `${forbidden} is not allowed`
  const patterns = [schema['pattern'], ...Object.keys(asMap(schema['patternProperties']))]
  for (const pattern of patterns) {
    const fault = typeof pattern === 'string' ? patternFault(pattern) : undefined
    if (fault) return fault
  }
  const { uniqueItems, maxItems } = schema as { uniqueItems?: unknown; maxItems?: unknown }
  const unbounded = typeof maxItems !== 'number' || maxItems > MAX_UNIQUE_ITEMS
  return uniqueItems === true && unbounded ? `uniqueItems needs maxItems of at most ${MAX_UNIQUE_ITEMS}` : undefined
}

function referenceFault(schema: JsonSchema, depth: number, walk: Walk): string | undefined {
  const ref = schema['$ref']
  if (ref === undefined) return undefined
  if (typeof ref !== 'string' || !ref.startsWith('#'))
    return '$ref may only point into the schema itself, as "#/$defs/name"'
  if (walk.following.has(ref)) return `${ref} refers to itself`
  const target = resolvePointer(walk.root, ref)
  if (target === undefined) return `${ref} points to nothing`
  walk.following.add(ref)
  const fault = ref === '#' ? '# refers to itself' : walkSchema(target, depth + 1, walk)
  walk.following.delete(ref)
  return fault
}

function childFault(schema: JsonSchema, depth: number, walk: Walk): string | undefined {
  const children = [
    ...MAPS.flatMap((keyword) => Object.values(asMap(schema[keyword]))),
    ...LISTS.flatMap((keyword) => (Array.isArray(schema[keyword]) ? schema[keyword] : [])),
    ...SINGLE.map((keyword) => schema[keyword]),
  ]
  for (const child of children) {
    const fault = walkSchema(child, depth + 1, walk)
    if (fault) return fault
  }
  return undefined
}

function asMap(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {}
}

function resolvePointer(root: JsonSchema, ref: string): unknown {
  let node: unknown = root
  for (const part of ref.slice(1).split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, name)) return undefined
    node = (node as JsonSchema)[name]
  }
  return node
}

/** Formats are notes, not rules: their expressions are not ours. A pattern sees strings of bounded length only. */
function validator(): Ajv2020 {
  return new Ajv2020({
    allErrors: false,
    strict: false,
    validateFormats: false,
    logger: false,
    code: { regExp: boundedRegExp },
  })
}

function withoutDialect({ $schema: _dialect, ...rest }: JsonSchema): JsonSchema {
  return rest
}

function boundedRegExp(pattern: string, flags: string) {
  const regExp = new RegExp(pattern, flags)
  return {
    test: (text: string) => text.length <= MAX_MATCHED_LENGTH && regExp.test(text),
    // ajv keeps one expression per text.
    toString: () => String(regExp),
  }
}
boundedRegExp.code = 'boundedRegExp'

/** By text: a schema that is read with every call is another object each time, and compiling one costs milliseconds. */
const compiled = new Map<string, ValidateFunction>()
const MOST_COMPILED = 300

/** What is wrong with `value`, with paths below `root`; empty when it fits. The schema has passed `checkSchema`. */
export function faultsOf(schema: JsonSchema, value: unknown, root: string): Fault[] {
  const text = JSON.stringify(schema)
  let validate = compiled.get(text)
  if (!validate) {
    validate = validator().compile(withoutDialect(schema))
    const [oldest] = compiled.keys()
    if (compiled.size >= MOST_COMPILED && oldest !== undefined) compiled.delete(oldest)
    compiled.set(text, validate)
  }
  return validate(value) ? [] : (validate.errors ?? []).slice(0, 20).map((error) => schemaFault(error, root))
}
