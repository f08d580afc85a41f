import { z } from 'zod'
import type { AnyTool, Effect } from './define.ts'
import type { LoadedServer } from './host.ts'

export type JsonSchema = { [key: string]: unknown }

/** What `tools/list` sends for one tool; the same object each time. */
export interface ToolDefinition {
  name: string
  title: string
  description: string
  inputSchema: JsonSchema & { type: 'object' }
  outputSchema: JsonSchema & { type: 'object' }
  annotations: {
    readOnlyHint: boolean
    destructiveHint: boolean
    idempotentHint: boolean
    openWorldHint: boolean
  }
}

/** A tool with everything that is derived from its declaration once: zod objects, JSON Schemas, definition. */
export interface CompiledTool {
  readonly tool: AnyTool
  readonly input: z.ZodType<Record<string, unknown>>
  readonly output: z.ZodType<Record<string, unknown>>
  /** It changes something, so it takes an `idempotency_key`. */
  readonly writes: boolean
  readonly definition: ToolDefinition
}

const IDEMPOTENCY_KEY = z
  .string()
  .max(200)
  .refine((key) => key !== '', 'must not be empty')
  .optional()
  .describe('Makes a repeat safe')

const HINTS: Record<Effect, { readOnly: boolean; destructive: boolean; idempotent: boolean }> = {
  read: { readOnly: true, destructive: false, idempotent: true },
  create: { readOnly: false, destructive: false, idempotent: false },
  update: { readOnly: false, destructive: false, idempotent: true },
  delete: { readOnly: false, destructive: true, idempotent: true },
  execute: { readOnly: false, destructive: true, idempotent: false },
}

const compiled = new WeakMap<AnyTool, CompiledTool>()

/** Compiles a tool on first use; converting zod to JSON Schema per request would cost milliseconds per listing. */
export function compileTool(tool: AnyTool): CompiledTool {
  const known = compiled.get(tool)
  if (known) return known
  const writes = tool.effect !== 'read'
  const input = z.object(writes ? { ...tool.input, idempotency_key: IDEMPOTENCY_KEY } : tool.input)
  const output = z.looseObject(tool.output)
  const fresh: CompiledTool = { tool, input, output, writes, definition: define(tool, input, output) }
  compiled.set(tool, fresh)
  return fresh
}

const listed = new WeakMap<LoadedServer, readonly ToolDefinition[]>()

/** Every tool of a server as clients see it, in name order; made once per server. */
export function toolDefinitions(server: LoadedServer): readonly ToolDefinition[] {
  const known = listed.get(server)
  if (known) return known
  const all = [...server.tools.values()].map((tool) => compileTool(tool).definition)
  all.sort((a, b) => (a.name < b.name ? -1 : 1))
  listed.set(server, all)
  return all
}

function define(tool: AnyTool, input: z.ZodType, output: z.ZodType): ToolDefinition {
  const hints = HINTS[tool.effect]
  return {
    name: tool.name,
    title: tool.title ?? titleOf(tool.name),
    description: tool.description,
    inputSchema: closed(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })),
    outputSchema: opened(z.toJSONSchema(output, { io: 'input', unrepresentable: 'any' })),
    annotations: {
      readOnlyHint: hints.readOnly,
      destructiveHint: hints.destructive,
      idempotentHint: tool.idempotent ?? hints.idempotent,
      openWorldHint: tool.openWorld ?? false,
    },
  }
}

function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function closed(schema: object) {
  return trim(schema, (node) => {
    if (isObject(node['properties']) && node['additionalProperties'] === undefined) node['additionalProperties'] = false
  }) as ToolDefinition['inputSchema']
}

function opened(schema: object) {
  return trim(schema, (node) => {
    if (node['additionalProperties'] === false || isEmptySchema(node['additionalProperties'])) {
      delete node['additionalProperties']
    }
  }) as ToolDefinition['outputSchema']
}

/**
 * A copy without what zod adds and nobody reads (every byte is paid for by each client's context): `$schema` (2020-12 is the
 * default dialect, and v1 clients fail on the name), safe-integer bounds, the regular expression behind a named format.
 */
function trim(schema: object, adjust: (node: JsonSchema) => void): JsonSchema {
  const copy = structuredClone(schema) as JsonSchema
  delete copy['$schema']
  visit(copy, (node) => {
    if (node['minimum'] === Number.MIN_SAFE_INTEGER) delete node['minimum']
    if (node['maximum'] === Number.MAX_SAFE_INTEGER) delete node['maximum']
    if (typeof node['format'] === 'string') delete node[FORMATS.has(node['format']) ? 'pattern' : 'format']
    if (
      isObject(node['propertyNames']) &&
      node['propertyNames']['type'] === 'string' &&
      Object.keys(node['propertyNames']).length === 1
    ) {
      delete node['propertyNames']
    }
    adjust(node)
    spellPortably(node)
  })
  return copy
}

const ANNOTATIONS = new Set(['title', 'description', 'default', 'examples', 'deprecated'])

/**
 * The same meaning as more hosts can read it. A list of types becomes branches of one type each (Gemini's function declarations
 * have one `type`). "Any JSON" says `additionalProperties: true`, which allows everything and is not empty: hosts refuse an empty
 * schema, and LangChain reads branches of all types as an object alone.
 */
function spellPortably(node: JsonSchema): void {
  if (isEmptySchema(node['items'])) delete node['items']
  if (isEmptySchema(node['additionalProperties'])) {
    if (isObject(node['properties'])) node['additionalProperties'] = true
    else delete node['additionalProperties']
  }
  if (Object.keys(node).every((key) => ANNOTATIONS.has(key))) node['additionalProperties'] = true
  const types = node['type']
  if (!Array.isArray(types)) return
  delete node['type']
  node['anyOf'] = types.map((type) => ({ type }))
}

/** Those JSON Schema knows; zod's own (`starts_with`) make validators complain, and its pattern says the same. */
const FORMATS = new Set(['date-time', 'date', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uuid'])

const SCHEMA_MAPS = ['properties', '$defs', 'patternProperties']
const SCHEMA_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const SCHEMA_NODES = ['items', 'additionalProperties', 'propertyNames', 'not']

/** Calls `each` on a schema, then on every schema left inside it; `default`, `enum` and `const` hold data and are left alone. */
function visit(node: unknown, each: (node: JsonSchema) => void): void {
  if (!isObject(node)) return
  each(node)
  for (const key of SCHEMA_MAPS)
    if (isObject(node[key])) for (const child of Object.values(node[key])) visit(child, each)
  for (const key of SCHEMA_LISTS) if (Array.isArray(node[key])) for (const child of node[key]) visit(child, each)
  for (const key of SCHEMA_NODES) visit(node[key], each)
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmptySchema(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0
}
