import type { ToolDefinition } from '@story-portal/shared/mcp'
import { buildCommand, buildRouteMap, type CommandContext, type RouteMap } from '@stricli/core'
import { type CommittedServer, committedServers } from '../registry.ts'
import type { CommonFlags } from './app.ts'
import { cliErrors } from './errors.ts'
import { perform } from './perform.ts'

/** The parts of a schema that a flag is made from. */
interface Field {
  type?: string | string[]
  description?: string
  anyOf?: Field[]
  oneOf?: Field[]
}

/** Names the parser keeps for itself; a field of such a name is given inside the JSON. */
const RESERVED = new Set(['json', 'help', 'helpAll', 'version'])

/** `story-portal <server> <tool>`, one command per committed definition. */
export function toolRoutes(servers: readonly CommittedServer[]): Record<string, RouteMap<CommandContext>> {
  return Object.fromEntries(
    servers
      .filter((server) => server.tools.length > 0)
      .map((server) => [
        server.name,
        buildRouteMap({
          routes: Object.fromEntries(server.tools.map((tool) => [tool.name, toolCommand(server, tool)])),
          docs: { brief: `${server.title} (${server.layer}): ${server.summary}` },
        }),
      ]),
  )
}

/** `story-portal planning create-goal --goal-id x` means the same as with underscores: people type both. */
export function normaliseArguments(args: readonly string[], servers = committedServers()): string[] {
  const [server, tool, ...rest] = args
  const definition = servers.find(({ name }) => name === server)
  if (!definition || tool === undefined || tool.startsWith('-')) return [...args]
  const known = definition.tools.find(({ name }) => name === tool.replaceAll('-', '_'))
  if (!known) return [...args]
  const fields = fieldsOf(known)
  const flags = rest.map((arg) => {
    const [, name = '', value = ''] = /^--([^=]+)(=.*)?$/s.exec(arg) ?? []
    const field = name.replaceAll('-', '_')
    return Object.hasOwn(fields, field) ? `--${field}${value}` : arg
  })
  return [definition.name, known.name, ...flags]
}

function toolCommand(server: CommittedServer, tool: ToolDefinition) {
  const fields = Object.entries(fieldsOf(tool)).filter(([name]) => !RESERVED.has(name))
  const required = new Set((tool.inputSchema['required'] as string[] | undefined) ?? [])
  const flags = {
    json: { kind: 'boolean', optional: true, withNegated: false, brief: 'Print the result as JSON' },
    ...Object.fromEntries(fields.map(([name, schema]) => [name, flagOf(schema, required.has(name))])),
  }
  return buildCommand<CommonFlags & Record<string, unknown>, [string?]>({
    docs: { brief: firstSentence(tool.description), fullDescription: tool.description },
    parameters: {
      // Built from data, so the compiler can't know the names.
      flags: flags as never,
      positional: {
        kind: 'tuple',
        parameters: [
          { parse: String, brief: 'Arguments as JSON, or - for stdin', placeholder: 'json', optional: true },
        ],
      },
    },
    func: ({ json, ...given }: CommonFlags & Record<string, unknown>, text?: string) =>
      perform({ json: json ?? false }, async (out, config) => {
        const { runCall } = await import('./call.ts')
        return runCall(out, config, { server: server.name, tool: tool.name, text, fields: defined(given) })
      }),
  })
}

function fieldsOf({ inputSchema }: ToolDefinition): Record<string, Field> {
  return (inputSchema['properties'] as Record<string, Field> | undefined) ?? {}
}

/** Required fields are optional here: the platform's own answer names all that is missing at once, with its hint. */
function flagOf(schema: Field, required: boolean) {
  const brief = `${schema.description ?? ''}${required ? ' (required)' : ''}`.trim()
  if (typesOf(schema).join() === 'boolean') return { kind: 'boolean', optional: true, brief }
  return { kind: 'parsed', parse: (text: string) => parseField(text, schema), optional: true, brief }
}

/** A flag's text as the value its schema asks for: numbers as numbers, lists by comma or JSON, objects by JSON. */
export function parseField(text: string, schema: Field): unknown {
  const types = typesOf(schema)
  if (types.length > 0 && types.every((type) => type === 'string')) return text
  if (types.join() === 'number' || types.join() === 'integer') {
    const value = Number(text)
    if (text.trim() === '' || Number.isNaN(value)) throw cliErrors.usage({ summary: `${text} is not a number.` })
    return value
  }
  const parsed = tryJson(text)
  if (parsed !== undefined) return parsed
  return types.includes('array') ? text.split(',').map((item) => item.trim()) : text
}

function typesOf(schema: Field): string[] {
  if (Array.isArray(schema.type)) return schema.type
  if (typeof schema.type === 'string') return [schema.type]
  return [...new Set([...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(typesOf))]
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const defined = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const firstSentence = (text: string) => /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text
