import type { JsonSchema } from './definition.ts'

/**
 * Prints a JSON Schema (2020-12, as tool definitions use it) as a TypeScript type. What TypeScript can't say (lengths,
 * patterns) is left out; what the printer doesn't know becomes `unknown`, never a wrong type. Recursion by `$ref` ends in `unknown`.
 */
export function jsonSchemaToTypeScript(
  schema: JsonSchema,
  options: { indent?: string; comments?: boolean } = {},
): string {
  return print({ root: schema, refs: [], comments: options.comments ?? true }, schema, options.indent ?? '')
}

interface Printer {
  root: JsonSchema
  /** References being printed now, outermost first. */
  refs: readonly string[]
  comments: boolean
}

function print(printer: Printer, node: unknown, indent: string): string {
  if (node === false) return 'never'
  if (!isObject(node)) return 'unknown'
  if (typeof node['$ref'] === 'string') return printRef(printer, node['$ref'], indent)
  if ('const' in node) return literal(node['const'])
  if (Array.isArray(node['enum'])) return union(node['enum'].map(literal))
  const branches = node['anyOf'] ?? node['oneOf']
  if (Array.isArray(branches)) return union(branches.map((branch) => print(printer, branch, indent)))
  if (Array.isArray(node['allOf'])) return node['allOf'].map((part) => group(print(printer, part, indent))).join(' & ')
  if (Array.isArray(node['type'])) return union(node['type'].map((type) => print(printer, { ...node, type }, indent)))
  return printType(printer, node, indent)
}

function printType(printer: Printer, node: JsonSchema, indent: string): string {
  switch (node['type']) {
    case 'string':
    case 'boolean':
    case 'null':
      return node['type']
    case 'number':
    case 'integer':
      return 'number'
    case 'array':
      return printArray(printer, node, indent)
    case 'object':
      return printObject(printer, node, indent)
    default:
      return isObject(node['properties']) ? printObject(printer, node, indent) : 'unknown'
  }
}

function printArray(printer: Printer, node: JsonSchema, indent: string): string {
  if (Array.isArray(node['prefixItems'])) {
    return `[${node['prefixItems'].map((item) => print(printer, item, indent)).join(', ')}]`
  }
  return `${group(print(printer, node['items'], indent))}[]`
}

function printObject(printer: Printer, node: JsonSchema, indent: string): string {
  const properties = isObject(node['properties']) ? Object.entries(node['properties']) : []
  const required = new Set(Array.isArray(node['required']) ? node['required'] : [])
  const rest = node['additionalProperties']
  if (properties.length === 0) {
    if (rest === false) return 'Record<string, never>'
    return `Record<string, ${isObject(rest) ? print(printer, rest, indent) : 'unknown'}>`
  }
  const inner = `${indent}  `
  const lines = properties.flatMap(([name, property]) => {
    const type = print(printer, property, inner)
    const line = `${inner}${propertyName(name)}${required.has(name) ? '' : '?'}: ${type}`
    const comment = printer.comments ? commentOf(property) : undefined
    return comment === undefined ? [line] : [`${inner}/** ${comment} */`, line]
  })
  return `{\n${lines.join('\n')}\n${indent}}`
}

function printRef(printer: Printer, ref: string, indent: string): string {
  if (printer.refs.includes(ref)) return 'unknown'
  const name = ref.startsWith('#/$defs/') ? ref.slice('#/$defs/'.length) : undefined
  const definitions = printer.root['$defs']
  const target =
    ref === '#' ? printer.root : isObject(definitions) && name !== undefined ? definitions[name] : undefined
  return print({ ...printer, refs: [...printer.refs, ref] }, target, indent)
}

function union(parts: string[]): string {
  const distinct = [...new Set(parts)]
  if (distinct.length === 0) return 'never'
  return distinct.includes('unknown') ? 'unknown' : distinct.join(' | ')
}

/** Puts what binds looser than `[]` and `&` into parentheses. */
function group(type: string): string {
  return / [|&] /.test(type.replace(/\{[\s\S]*\}/g, '')) ? `(${type})` : type
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`
  return value === null || typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'unknown'
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name)
}

function commentOf(property: unknown): string | undefined {
  const text = isObject(property) ? property['description'] : undefined
  return typeof text === 'string' ? text.replaceAll('*/', '*\\/').replace(/\s+/g, ' ') : undefined
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
