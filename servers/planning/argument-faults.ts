import { compileSchema, type SchemaCheck } from '@story-portal/shared/data'
import type { PlanDefinitionInput } from '@story-portal/shared/engine'
import { type Fault, safeText } from '@story-portal/shared/errors'
import { type JsonSchema, suggest, type TxContext } from '@story-portal/shared/mcp'
import { platformTool } from './plan-tools.ts'

/**
 * Arguments that a platform tool would refuse when its task runs: fields it does not have, required ones that are missing,
 * literal values that do not fit. What is bound is known only then.
 */
export function argumentFaults(ctx: TxContext, { tasks }: PlanDefinitionInput): Fault[] {
  return (tasks as readonly unknown[]).flatMap((task, i) => {
    const { kind, compensate, ...call } = (task ?? {}) as { kind?: unknown; compensate?: unknown } & Call
    const own = kind === 'tool' ? callFaults(ctx, call, `tasks[${i}]`) : []
    return [...own, ...callFaults(ctx, (compensate ?? {}) as Call, `tasks[${i}].compensate`)]
  })
}

interface Call {
  tool?: unknown
  input?: unknown
}

function callFaults(ctx: TxContext, { tool, input = {} }: Call, path: string): Fault[] {
  const schema = typeof tool === 'string' ? platformTool(ctx, tool)?.inputSchema : undefined
  if (schema === undefined || typeof input !== 'object' || input === null || Array.isArray(input)) return []
  const { required, properties, check } = partsOf(schema)
  const given = Object.entries(input)
  const missing = required.filter((name) => !given.some(([key]) => key === name))
  return [
    ...missing.map((name) => ({ path: `${path}.input.${name}`, message: `is required by ${safeText(tool)}` })),
    ...given.flatMap(([name, value]) =>
      Object.hasOwn(properties, name)
        ? isBound(value)
          ? []
          : check(name, value, `${path}.input`)
        : [unknownField(name, properties, path, tool)],
    ),
  ]
}

function unknownField(name: string, properties: JsonSchema, path: string, tool: unknown): Fault {
  const names = Object.keys(properties)
  const near = suggest(name, names)
  const hint = near === undefined ? `It has: ${names.join(', ') || 'none'}.` : `Did you mean ${near}?`
  return { path: `${path}.input.${safeText(name, 60)}`, message: `is not a field of ${safeText(tool)}`, hint }
}

function isBound(value: unknown): boolean {
  return JSON.stringify(value)?.includes('{{') ?? true
}

interface Parts {
  required: readonly string[]
  properties: JsonSchema
  check(name: string, value: unknown, path: string): Fault[]
}

const known = new WeakMap<JsonSchema, Parts>()

/** Field by field, so that a bound field does not hide the faults of the others. */
function partsOf(schema: JsonSchema): Parts {
  const made = known.get(schema)
  if (made) return made
  const properties = (schema['properties'] ?? {}) as JsonSchema
  const checks = new Map<string, SchemaCheck | undefined>()
  const parts: Parts = {
    required: (schema['required'] ?? []) as string[],
    properties,
    check(name, value, path) {
      if (!checks.has(name))
        checks.set(name, compileSchema({ properties: { [name]: properties[name] }, $defs: schema['$defs'] ?? {} }, ''))
      return (checks.get(name)?.({ [name]: value }) ?? []).map((fault) => ({ ...fault, path: `${path}.${fault.path}` }))
    },
  }
  known.set(schema, parts)
  return parts
}
