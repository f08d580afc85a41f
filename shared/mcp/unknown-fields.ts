import type { Fault } from '../errors/index.ts'
import type { JsonSchema } from './definition.ts'
import { suggest } from './suggest.ts'

const MAX_FAULTS = 20
const UNKNOWN = 'is not a known field'

/**
 * Fields the definition doesn't have, at every level, with the name that was probably meant. Reads the published JSON Schema,
 * because zod drops unknown nested fields silently and a dropped `depend_on` runs a plan in the wrong order.
 */
export function unknownFields(schema: JsonSchema, value: unknown): Fault[] {
  const found: Fault[] = []
  walk({ root: schema, found }, schema, value, '')
  return found
}

interface Walk {
  root: JsonSchema
  found: Fault[]
}

function walk(state: Walk, node: unknown, value: unknown, path: string): void {
  if (!isObject(node) || state.found.length >= MAX_FAULTS) return
  const branches = node['anyOf'] ?? node['oneOf']
  if (typeof node['$ref'] === 'string') walk(state, resolve(state.root, node['$ref']), value, path)
  else if (Array.isArray(branches)) walkBranches(state, branches, value, path)
  else if (Array.isArray(node['allOf'])) return
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(state, node['items'], item, `${path}[${index}]`)
  } else if (isObject(value)) walkObject(state, node, value, path)
}

function walkObject(state: Walk, node: JsonSchema, value: JsonSchema, path: string): void {
  const properties = isObject(node['properties']) ? node['properties'] : {}
  for (const [key, child] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    if (Object.hasOwn(properties, key)) walk(state, properties[key], child, at)
    else if (node['additionalProperties'] === false && child !== undefined) {
      // Past what is shown they are only counted: looking for what each of 100,000 names was meant to be takes seconds.
      const shown = state.found.length < MAX_FAULTS
      state.found.push(shown ? fault(at, key, properties) : { path: at, message: UNKNOWN })
    } else walk(state, node['additionalProperties'], child, at)
  }
}

/** A union accepts what any branch accepts; of those that fit the shape, the one with the fewest unknown fields speaks. */
function walkBranches(state: Walk, branches: unknown[], value: unknown, path: string): void {
  let best: Fault[] | undefined
  for (const branch of branches) {
    const schema = isObject(branch) && typeof branch['$ref'] === 'string' ? resolve(state.root, branch['$ref']) : branch
    if (!fits(schema, value)) continue
    const attempt: Walk = { root: state.root, found: [] }
    walk(attempt, schema, value, path)
    if (best === undefined || attempt.found.length < best.length) best = attempt.found
  }
  state.found.push(...(best ?? []))
}

/** Whether a branch is meant at all: same JSON type, and the constants that tell branches apart agree. */
function fits(schema: unknown, value: unknown): boolean {
  if (!isObject(schema)) return true
  if (Array.isArray(value)) return schema['type'] === undefined || schema['type'] === 'array'
  if (!isObject(value)) return false
  if (schema['type'] !== undefined && schema['type'] !== 'object') return false
  if (!isObject(schema['properties'])) return true
  return Object.entries(schema['properties']).every(
    ([key, property]) => !isObject(property) || property['const'] === undefined || property['const'] === value[key],
  )
}

function resolve(root: JsonSchema, ref: string): unknown {
  if (ref === '#') return root
  const name = ref.startsWith('#/$defs/') ? ref.slice('#/$defs/'.length) : undefined
  return name !== undefined && isObject(root['$defs']) ? root['$defs'][name] : undefined
}

function fault(path: string, key: string, properties: JsonSchema): Fault {
  const near = suggest(key, Object.keys(properties))
  const known = Object.keys(properties).join(', ')
  return {
    path,
    message: UNKNOWN,
    hint: near === undefined ? `Known here: ${known === '' ? 'no fields' : known}.` : `Did you mean ${near}?`,
  }
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
