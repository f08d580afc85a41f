import { callsForRun } from '@story-portal/shared/auth'
import { createRecord, updateRecord } from '@story-portal/shared/data'
import { badInput, isStoryPortalError } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { fetchOf } from '../fetch/fetch-of-host.ts'
import type { GuardedFetch } from '../fetch/guarded-fetch.ts'
import { UpstreamName } from '../schema.ts'
import { findUpstream } from '../sources/mcp.ts'
import { credentialsOf, unmet } from '../upstreams/api-security.ts'
import { sealTransport } from '../upstreams/credentials.ts'
import type { Definition } from '../upstreams/definition.ts'
import { type Document, type Operation, object, operationsOf } from '../upstreams/openapi.ts'
import { checkDefinitions, registerDefinitions } from '../upstreams/register.ts'

const Url = z
  .string()
  .max(4096)
  .regex(/^https?:\/\//, 'must begin with http:// or https://')
const Texts = z.record(z.string(), z.string().min(1).max(8192))

export default defineTool({
  name: 'import_openapi',
  description:
    'Makes the operations of an OpenAPI 3.0 or 3.1 document registered tools named <name>_<operation>; dry_run only shows them. Call them with invoke_tool. For MCP servers, use connect_mcp_server.',
  effect: 'execute',
  transaction: false,
  idempotent: true,
  openWorld: true,
  roles: ['owner', 'admin'],
  input: {
    name: UpstreamName.describe('Of the API'),
    document: z.record(z.string(), z.unknown()).optional().describe('The document as JSON'),
    url: Url.optional().describe('Where the document is, as JSON, when it is not given'),
    server_url: Url.optional().describe('Default: the first of the document, which has to be public'),
    operations: z.array(z.string().min(1).max(200)).max(500).optional().describe('Only these operationIds'),
    auth: Texts.optional().describe(
      'Key or token by name of the security scheme; user:password for basic. Kept as secrets, like headers',
    ),
    headers: Texts.optional().describe('Sent with each request, such as Authorization'),
    dry_run: z.boolean().default(false).describe('Registers nothing'),
    approve_changes: z.boolean().default(false).describe('Accept what is new or changed since the last import'),
  },
  output: { server_url: z.string(), tools: z.array(z.looseObject({})) },
  async run({ name, operations: wanted, auth = {}, headers = {}, dry_run, approve_changes: approve, ...args }, ctx) {
    if (callsForRun(ctx.caller)) throw faults.connectFromCode()
    const document =
      args.document ?? (await fetched(fetchOf(ctx.host), args.url, { upstream: name, signal: ctx.signal }))
    if (!/^3\.[01]\.\d+$/.test(String(document['openapi'])))
      throw badInput('document.openapi', 'must be 3.0.x or 3.1.x')
    const server_url = args.server_url ?? serverOf(document, args.url)
    const operations = chosen(document, name, wanted)
    const refused = operations.flatMap((operation) => unmet(document, operation, { auth, headers }))
    const [first] = refused
    if (first) throw faults.authMissing({ upstream: name, what: first.message }, { details: { faults: refused } })
    const definitions = operations.map(definitionOf)
    checkDefinitions(name, definitions)
    if (dry_run) return { server_url, tools: operations.map(shown) }
    // A document may come from a stranger, who could name an address inside.
    const trusted = args.server_url !== undefined
    const given = { type: 'openapi', url: server_url, trusted, ...credentialsOf(document, auth, headers) }
    const tools = await ctx.db.tx(async (tx) => {
      const known = await findUpstream(tx, name)
      if (known && (known.transport as { type: string }).type !== 'openapi')
        throw badInput('name', 'is that of an MCP server already')
      const transport = await sealTransport(tx, ctx.config, { upstream: name, transport: given })
      if (known) await updateRecord(tx, 'upstream', known.id, { transport, status: 'active' })
      else await createRecord(tx, 'upstream', { name, transport })
      return await registerDefinitions(tx, name, { definitions, approve: approve || !known })
    })
    return { server_url, tools }
  },
})

async function fetched(
  fetch: GuardedFetch,
  url: string | undefined,
  { upstream, signal }: { upstream: string; signal: AbortSignal },
): Promise<Document> {
  if (url === undefined) throw badInput('document', 'or url is required')
  const text = await fetch(url, { trust: URL.parse(url)?.host ?? '', signal, headers: { accept: 'application/json' } })
    .then((response) => (response.ok ? response.text() : Promise.reject(new Error(`status ${response.status}`))))
    .catch((cause: unknown) => {
      if (isStoryPortalError(cause)) throw cause
      throw faults.upstreamUnreachable({ upstream }, { cause })
    })
  try {
    return object(JSON.parse(text))
  } catch {
    throw badInput('url', 'must lead to JSON; convert a YAML document first')
  }
}

function serverOf(document: Document, url: string | undefined): string {
  const [first] = Array.isArray(document['servers']) ? document['servers'] : []
  const given = object(first)['url']
  const absolute = typeof given === 'string' && URL.canParse(given, url) ? new URL(given, url).href : undefined
  if (absolute === undefined || !/^https?:\/\/[^{}]+$/.test(absolute))
    throw badInput('server_url', 'is required: the document names no absolute http server without variables')
  return absolute
}

function chosen(document: Document, upstream: string, wanted: readonly string[] | undefined): Operation[] {
  const { operations, found } = operationsOf(document)
  if (wanted)
    return wanted.map((name, index) => {
      const operation = operations.find((one) => one.name === name)
      if (!operation) throw badInput(`operations[${index}]`, 'is not in the document, or can not be taken over')
      return operation
    })
  const [first] = found
  if (first)
    throw faults.upstreamUnusable({ upstream, count: found.length, first: first.path }, { details: { faults: found } })
  if (operations.length === 0) throw badInput('document.paths', 'has no operation')
  return operations
}

function definitionOf({ security: _s, places, method, path, ...operation }: Operation): Definition {
  return { ...operation, read_only: method === 'GET' || method === 'HEAD', http: { method, path, places } }
}

function shown({ name, method, path, description, input_schema, security }: Operation) {
  return { operation: name, method, path, description, input_schema, security }
}
