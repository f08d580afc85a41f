import type { Tool } from '@modelcontextprotocol/client'
import { hashJson } from '@story-portal/shared/data'
import type { JsonSchema } from '../json-schema.ts'

/** A tool as its upstream describes it: exactly what is pinned. */
export interface Definition {
  name: string
  title: string | null
  description: string
  input_schema: JsonSchema
  output_schema: JsonSchema | null
  /** The upstream says that a call changes nothing. */
  read_only: boolean
  /** The request of an imported HTTP API; null for a tool of an MCP server. */
  http: Route | null
}

export interface Route {
  method: string
  /** As in the document, such as /pets/{id}. */
  path: string
  /** Where each argument goes; `body` is the request body. */
  places: Record<string, 'path' | 'query' | 'header' | 'body'>
}

const PARTS = ['title', 'description', 'input_schema', 'output_schema', 'read_only', 'http'] as const

export function definitionOf(tool: Tool): Definition {
  return {
    name: tool.name,
    title: tool.title ?? null,
    description: tool.description ?? '',
    input_schema: tool.inputSchema as JsonSchema,
    output_schema: (tool.outputSchema as JsonSchema | undefined) ?? null,
    read_only: tool.annotations?.readOnlyHint === true,
    http: null,
  }
}

/** One hash per part, so that a change can be named without keeping the text twice. */
export function pinOf(definition: Definition): Record<string, string> {
  return Object.fromEntries(PARTS.map((part) => [part, hashJson(definition[part])]))
}

/** The parts that are no longer what was accepted. */
export function changedParts(pin: Record<string, string>, definition: Definition): string[] {
  const now = pinOf(definition)
  return PARTS.filter((part) => now[part] !== pin[part])
}

/** The name a tool of an upstream is registered under, such as memory_read_graph. */
export function registeredName(upstream: string, tool: string): string {
  const spaced = tool.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  return `${upstream}_${spaced.replace(/[^a-z0-9]+/g, '_')}`
}
