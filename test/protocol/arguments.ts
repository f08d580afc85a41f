import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'

export interface Schema {
  $ref?: string
  $defs?: Record<string, Schema>
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
}

/** Arguments with one fault: what is wrong, and where. */
export interface Mutant {
  what: string
  path: string
  args: Record<string, unknown>
}

const ajv = new Ajv2020({ strict: false, validateFormats: false })

/** Arguments that fit the schema but for one fault of a random kind at a random place; a validator of others confirms the fault. */
export function mutants(schema: Schema): fc.Arbitrary<Mutant> {
  const isValid = ajv.compile(schema)
  return fc
    .tuple(validValue(schema, schema), fc.nat())
    .map(([args, choice]) => {
      const all = [...faultsAt({ root: schema, node: schema, value: args, path: [] })]
      const fault = all[choice % all.length]
      if (fault === undefined) throw new Error('a schema without any way to be wrong')
      const mutated = replaceAt(args, fault.path, fault.value) as Record<string, unknown>
      return { what: fault.what, path: fault.path.join('.'), args: mutated, unstorable: fault.unstorable }
    })
    .filter(({ args, unstorable }) => unstorable || !isValid(args))
}

/** A value that the schema allows, small. */
function validValue(root: Schema, given: Schema): fc.Arbitrary<unknown> {
  const node = resolve(root, given)
  const branches = node.anyOf ?? node.oneOf
  if (node.const !== undefined) return fc.constant(node.const)
  if (node.enum) return fc.constantFrom(...node.enum)
  if (branches) return fc.oneof(...branches.map((branch) => validValue(root, branch)))
  switch (node.type) {
    case 'string':
      return validText(node)
    case 'integer':
      return fc.integer({ min: node.minimum ?? 0, max: Math.min(node.maximum ?? 100, (node.minimum ?? 0) + 100) })
    case 'number':
      return fc.integer({ min: Math.ceil(node.minimum ?? 0), max: Math.floor(node.maximum ?? 100) })
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(validValue(root, node.items ?? {}), { minLength: node.minItems ?? 0, maxLength: 3 })
    case 'object':
      return validObject(root, node)
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

function validText({ pattern, minLength = 0, maxLength = 20 }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, 60) })
  return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 20) })
}

function validObject(root: Schema, node: Schema): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(node.properties ?? {})
  const model = Object.fromEntries(fields.map(([name, field]) => [name, validValue(root, field)]))
  return fc.record(model, { requiredKeys: node.required ?? [] })
}

interface Site {
  root: Schema
  node: Schema
  value: unknown
  path: string[]
}

interface SiteFault {
  what: string
  path: string[]
  /** What stands there instead; `ABSENT` takes it away. */
  value: unknown
  /** Fits the schema, and is refused because no database can keep it. */
  unstorable: boolean
}

const ABSENT = Symbol('absent')

/** Every way in which the value, or a part of it, can be made wrong. */
function* faultsAt(site: Site): Iterable<SiteFault> {
  // The arguments as a whole are an object in any case: what else they could be, the protocol refuses.
  if (site.path.length > 0) yield* wrongValues(site)
  const { root, value, path } = site
  const node = resolve(root, site.node)
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* faultsAt({ root, node: node.items ?? {}, value: item, path: [...path, String(index)] })
  } else if (typeof value === 'object' && value !== null) {
    yield* wrongFields(node, path)
    for (const [name, child] of Object.entries(value)) {
      const next = node.properties?.[name]
      if (next) yield* faultsAt({ root, node: next, value: child, path: [...path, name] })
    }
  }
}

function* wrongValues({ root, node: given, value, path }: Site): Iterable<SiteFault> {
  const node = resolve(root, given)
  const others = node.type === undefined ? [] : OTHERS.filter((other) => !isOf(node, other))
  for (const wrong of others) yield { what: 'wrong type', path, value: wrong, unstorable: false }
  for (const [what, wrong] of outside(node)) yield { what, path, value: wrong, unstorable: false }
  if (typeof value !== 'string') return
  yield { what: 'lone surrogate', path, value: `${value}\ud800`, unstorable: true }
  yield { what: 'NUL', path, value: `${value}\0`, unstorable: true }
}

function* wrongFields({ properties = {}, required = [], additionalProperties }: Schema, path: string[]) {
  const extra = additionalProperties === false ? EXTRA.filter((name) => !Object.hasOwn(properties, name)) : []
  for (const name of extra) yield { what: 'extra', path: [...path, name], value: 1, unstorable: false }
  for (const name of required) yield { what: 'missing', path: [...path, name], value: ABSENT, unstorable: false }
}

const OTHERS: unknown[] = [null, 7, -0.5, 1e300, 'text', '', true, [], [[]], {}, { constructor: { prototype: 1 } }]
const EXTRA = ['constructor', 'toString', 'no_such_field', 'Title', 'x'.repeat(2_000), '../../etc/passwd', '']

function isOf({ type }: Schema, value: unknown): boolean {
  if (type === 'integer' || type === 'number') return typeof value === 'number'
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

/** Values of the right type outside what the schema allows. */
function* outside(node: Schema): Iterable<[string, unknown]> {
  if (node.enum) yield ['not in the list', 'neither of them']
  if (node.pattern !== undefined) {
    yield ['wrong format', '\u0001 !']
    yield ['wrong format', "'; DROP TABLE events; --"]
  }
  if (node.minLength) yield ['too short', '']
  if (node.maxLength !== undefined) yield ['too long', 'x'.repeat(node.maxLength + 1)]
  if (node.minimum !== undefined) yield ['too small', node.minimum - 1]
  if (node.maximum !== undefined) yield ['too large', node.maximum + 1]
  if (node.type === 'integer') yield ['not whole', 1.5]
  if (node.maxItems !== undefined) yield ['too many', Array.from({ length: node.maxItems + 1 }, () => 'x')]
}

function replaceAt(value: unknown, path: readonly string[], wrong: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return wrong
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  if (rest.length === 0 && wrong === ABSENT) delete copy[key]
  else copy[key] = replaceAt(copy[key], rest, wrong)
  return copy
}

function resolve(root: Schema, node: Schema): Schema {
  const name = node.$ref?.replace('#/$defs/', '')
  return name === undefined ? node : (root.$defs?.[name] ?? {})
}
