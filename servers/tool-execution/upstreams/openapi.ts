import type { Fault } from '@story-portal/shared/errors'
import type { JsonSchema } from '../json-schema.ts'
import type { Route } from './definition.ts'
import { inlined, resolved } from './schema-references.ts'

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const
const PAGING = /^(page|page_?size|per_?page|limit|offset|cursor|after|before|page_?token|starting_?after)$/i

export interface Operation extends Route {
  name: string
  title: string | null
  description: string
  input_schema: JsonSchema
  output_schema: JsonSchema | null
  /** Alternatives; each a list of security schemes that are needed together. */
  security: string[][]
}

export type Document = Record<string, unknown>

/** The operations of an OpenAPI 3.0 or 3.1 document, and what in them can not be taken over. */
export function operationsOf(document: Document): { operations: Operation[]; found: Fault[] } {
  const operations: Operation[] = []
  const found: Fault[] = []
  for (const [path, item] of Object.entries(object(document['paths']))) {
    const shared = resolved(document, item)
    for (const method of METHODS) {
      if (typeof shared[method] !== 'object') continue
      const operation = operationOf(document, { path, method, shared, own: object(shared[method]) })
      if ('message' in operation) found.push(operation)
      else operations.push(operation)
    }
  }
  return { operations, found }
}

interface Place {
  path: string
  method: string
  shared: Document
  own: Document
}

function operationOf(document: Document, { path, method, shared, own }: Place): Operation | Fault {
  const at = `${method.toUpperCase()} ${path}`
  const parameters = parametersOf(document, [...list(shared['parameters']), ...list(own['parameters'])])
  const taken = argumentsOf(document, at, parameters)
  if ('message' in taken) return taken
  const body = bodyOf(document, own)
  if (body === 'unsupported') return { path: at, message: 'takes a body that is not application/json' }
  const { places, properties, required } = taken
  if (body) {
    places['body'] = 'body'
    properties['body'] = body.schema
    if (body.required) required.push('body')
  }
  return {
    name: typeof own['operationId'] === 'string' ? own['operationId'] : `${method} ${path}`,
    title: typeof own['summary'] === 'string' ? own['summary'] : null,
    description: describe(own, at, parameters),
    method: method.toUpperCase(),
    path,
    places,
    input_schema: { type: 'object', properties, required, additionalProperties: false },
    output_schema: answerOf(document, own),
    security: list(own['security'] ?? document['security']).map((needed) => Object.keys(object(needed))),
  }
}

/** An operation's own parameter replaces the path's of the same name and place. */
function parametersOf(document: Document, given: unknown[]): Document[] {
  const named = given
    .map((one) => resolved(document, one))
    .map((parameter) => [`${parameter['in']} ${parameter['name']}`, parameter] as const)
  return [...new Map(named).values()].filter((parameter) => !isImplied(parameter))
}

interface Arguments {
  places: Operation['places']
  properties: Record<string, unknown>
  required: string[]
}

function argumentsOf(document: Document, at: string, parameters: Document[]): Arguments | Fault {
  const taken: Arguments = { places: {}, properties: {}, required: [] }
  for (const parameter of parameters) {
    const name = String(parameter['name'])
    const { in: place, description } = parameter
    if (place !== 'path' && place !== 'query' && place !== 'header')
      return { path: at, message: `takes ${name} in a ${place}, which is not supported` }
    if (Object.hasOwn(taken.places, name) || name === 'body')
      return { path: at, message: `has two parameters named ${name}` }
    taken.places[name] = place
    const schema = inlined(document, parameter['schema'] ?? {}) as JsonSchema
    taken.properties[name] = typeof description === 'string' ? { description, ...schema } : schema
    if (parameter['required'] === true || place === 'path') taken.required.push(name)
  }
  return taken
}

/** OpenAPI says that header parameters of these names mean nothing. */
function isImplied(parameter: Document): boolean {
  return parameter['in'] === 'header' && /^(accept|content-type|authorization)$/i.test(String(parameter['name']))
}

function bodyOf(document: Document, own: Document) {
  if (own['requestBody'] === undefined) return undefined
  const body = resolved(document, own['requestBody'])
  const schema = jsonSchemaOf(document, body)
  if (schema === undefined) return 'unsupported'
  return { schema, required: body['required'] === true }
}

function answerOf(document: Document, own: Document): JsonSchema | null {
  const answers = object(own['responses'])
  const code = Object.keys(answers).find((status) => /^2(\d\d|XX)$/.test(status))
  return (code === undefined ? undefined : jsonSchemaOf(document, resolved(document, answers[code]))) ?? null
}

function jsonSchemaOf(document: Document, holder: Document): JsonSchema | undefined {
  const types = Object.entries(object(holder['content']))
  const json = types.find(([type]) => /^application\/([\w.-]+\+)?json\b/i.test(type))
  return json && (inlined(document, object(json[1])['schema'] ?? {}) as JsonSchema)
}

function describe(own: Document, at: string, parameters: Document[]): string {
  const words = [own['summary'], own['description']].filter((text) => typeof text === 'string').join('. ')
  const paging = parameters.map((parameter) => String(parameter['name'])).filter((name) => PAGING.test(name))
  const paged = paging.length > 0 ? ` The result comes in pages: ${paging.join(', ')}.` : ''
  return `${words.slice(0, 19_000) || at}${paged}`
}

export function object(value: unknown): Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Document) : {}
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
