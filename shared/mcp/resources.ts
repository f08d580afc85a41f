import { ProtocolError, ProtocolErrorCode, type Server, type ServerContext } from '@modelcontextprotocol/server'
import { errors, isStoryPortalError, safeText, toErrorBody } from '../errors/index.ts'
import { mcpErrors } from './errors.ts'
import { fill, line, type ReadTool, readToolText, type ToolText, type Variables, variablesOf } from './tool-text.ts'

/** One kind of resource; resources/*.ts of a server export one of these by default. Plain data, kept in the manifest. */
export interface ResourceDefinition {
  /** `^[a-z][a-z0-9_]{1,40}$`; the file has the same name in kebab-case. */
  name: string
  title: string
  description: string
  /** With `{variables}` a template: each stands for one percent-encoded part without a slash. */
  uri: string
  mime_type: string
  read: ToolText
  /** Which of a template are listed: a tool of the server whose `items` have a field per variable. */
  list?: { tool: string; arguments?: Readonly<Record<string, string | number | boolean>>; title?: string }
}

/** Declares one resource. */
export function defineResource(resource: ResourceDefinition): ResourceDefinition {
  return resource
}

/** How the handlers of one protocol server reach its tools as the request's caller. */
export interface RequestTools {
  reader(ctx: ServerContext): ReadTool
  /** The caller may call it. */
  sees(ctx: ServerContext, tool: string): boolean
}

/** Answers resources/list, resources/templates/list and resources/read; shows only what the caller's rights reach. */
export function serveResources(server: Server, resources: readonly ResourceDefinition[], tools: RequestTools): void {
  const visible = (ctx: ServerContext) => resources.filter(({ read }) => tools.sees(ctx, read.tool))
  server.setRequestHandler('resources/list', async (_request, ctx) => {
    const lists = await Promise.all(visible(ctx).map((resource) => listed(resource, tools.reader(ctx))))
    return { resources: lists.flat() }
  })
  server.setRequestHandler('resources/templates/list', (_request, ctx) => ({
    resourceTemplates: visible(ctx).filter(isTemplate).map(shownTemplate),
  }))
  server.setRequestHandler('resources/read', async ({ params: { uri } }, ctx) => {
    for (const resource of visible(ctx)) {
      const variables = matchUri(resource.uri, uri)
      if (variables === undefined) continue
      const text = await readToolText(resource.read, variables, tools.reader(ctx)).catch((error: unknown) => {
        throw refusal(error, { uri })
      })
      return { contents: [{ uri, mimeType: resource.mime_type, text }] }
    }
    throw refusal(mcpErrors.unknownResource({ uri: safeText(uri, 200) }), { uri })
  })
}

/** What a read failed with, as the protocol says it: our body and the request's own words are its data. */
export function refusal(error: unknown, about: Record<string, string>): ProtocolError {
  const known = isStoryPortalError(error) ? error : errors.internal({}, { cause: error })
  const body = toErrorBody(known)
  const itsFault = ['INVALID_INPUT', 'NOT_FOUND', 'DENIED', 'UNAUTHENTICATED'].includes(body.error.code)
  const code = itsFault ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError
  return new ProtocolError(code, body.error.message, { ...body, ...about })
}

function isTemplate({ uri }: ResourceDefinition): boolean {
  return variablesOf(uri).length > 0
}

function shownTemplate({ uri, name, title, description, mime_type }: ResourceDefinition) {
  return { uriTemplate: uri, name, title, description, mimeType: mime_type }
}

async function listed(resource: ResourceDefinition, read: ReadTool) {
  const { uri, name, title, description, mime_type: mimeType, list } = resource
  if (!isTemplate(resource)) return [{ uri, name, title, description, mimeType }]
  if (list === undefined) return []
  const { items } = await read(list.tool, { ...list.arguments }).catch((error: unknown) => {
    throw refusal(error, {})
  })
  return (Array.isArray(items) ? items : []).flatMap((item: Record<string, unknown>) => {
    const names = variablesOf(uri)
    const values = names.map((key) => String(item[key] ?? ''))
    if (values.includes('')) return []
    const encoded = Object.fromEntries(names.map((key, i) => [key, encodeURIComponent(values[i] ?? '')]))
    const own = list.title === undefined ? undefined : line(item[list.title])
    return [{ uri: fill(uri, encoded), name: values.join('/'), title: own ?? title, description, mimeType }]
  })
}

/** The variables of a URI that fits the template, decoded; undefined when it doesn't. */
export function matchUri(template: string, uri: string): Variables | undefined {
  const parts = template.split(/\{[a-z][a-z0-9_]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const values = new RegExp(`^${parts.join('([^/?#]+)')}$`).exec(uri)?.slice(1)
  if (values === undefined) return undefined
  try {
    return Object.fromEntries(variablesOf(template).map((name, i) => [name, decodeURIComponent(values[i] ?? '')]))
  } catch {
    // A % that begins no escape: no URI that we could have made.
    return undefined
  }
}
