import { callsForRun } from '@story-portal/shared/auth'
import { createRecord, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { badInput } from '@story-portal/shared/errors'
import { defineTool, type OpenContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { SecretName, UpstreamName } from '../schema.ts'
import { findUpstream } from '../sources/mcp.ts'
import type { UpstreamTransport } from '../upstreams/connection.ts'
import { sealTransport, unsealTransport } from '../upstreams/credentials.ts'
import { upstreamsOf } from '../upstreams/pool.ts'
import { checkDefinitions, registerDefinitions } from '../upstreams/register.ts'

const Text = z.string().min(1).max(4096)
const Value = z.union([z.string().max(8192), z.strictObject({ secret: SecretName })])
const Values = z.record(
  z.string(),
  z.unknown().refine((value) => Value.safeParse(value).success, 'must be text or {"secret": name}'),
)

const Transport = z
  .strictObject({
    type: z.enum(['stdio', 'http']),
    command: Text.optional(),
    args: z.array(z.string().max(8192)).max(100).optional(),
    env: Values.optional().describe('All it gets beside PATH'),
    url: z
      .url({ protocol: /^https?$/ })
      .max(4096)
      .optional(),
    headers: Values.optional(),
  })
  .describe(
    'Needed once, and to change it: command, args, env for stdio, url, headers for http; values are kept as secrets or are {"secret": name}',
  )

export default defineTool({
  name: 'connect_mcp_server',
  description:
    'Makes the tools of another MCP server registered tools named <name>_<tool>, pinned to their definitions; what is new or changed since is reported and held until approve_changes. Call them with invoke_tool.',
  effect: 'execute',
  transaction: false,
  idempotent: true,
  openWorld: true,
  roles: ['owner', 'admin'],
  input: {
    name: UpstreamName.describe('Of the upstream'),
    transport: Transport.optional(),
    tools: z.array(z.string().min(1).max(200)).max(500).optional().describe('Only these of its tools'),
    enabled: z.boolean().default(true).describe('false: its tools answer no more, its process ends'),
    approve_changes: z.boolean().default(false).describe('Accept the definitions as they are now'),
  },
  output: { upstream: z.looseObject({ name: z.string(), status: z.string() }), tools: z.array(z.looseObject({})) },
  async run({ name, transport, tools: wanted, enabled, approve_changes: approve }, ctx) {
    if (callsForRun(ctx.caller)) throw faults.connectFromCode()
    const known = await ctx.db.read((tx) => findUpstream(tx, name))
    if ((known?.transport as { type?: string } | undefined)?.type === 'openapi' && (enabled || transport))
      throw badInput('name', 'is that of an imported API: import_openapi changes and enables it')
    const given = transport && transportOf(transport)
    const recorded = given ?? known?.transport
    if (!recorded) throw badInput('transport', 'is required for an upstream that is not known yet')
    const saving = { name, known, given }
    if (!enabled) {
      await upstreamsOf(ctx.host).drop({ tenant_id: ctx.caller.tenant_id, name })
      const saved = await save(ctx, { ...saving, status: 'disabled' }, async () => [])
      return { upstream: shown(saved.record), tools: saved.changes }
    }
    const to = await ctx.db.read((tx) => unsealTransport<UpstreamTransport>(tx, ctx.config, recorded))
    const upstream = { tenant_id: ctx.caller.tenant_id, name, transport: to }
    const offered = await upstreamsOf(ctx.host).use(upstream, (connection) => connection.definitions())
    const definitions = chosen(offered, wanted)
    checkDefinitions(name, definitions)
    const { record, changes } = await save(ctx, { ...saving, status: 'active' }, (tx) =>
      registerDefinitions(tx, name, { definitions, approve: approve || !known }),
    )
    return { upstream: shown(record), tools: changes }
  },
})

type Values = Record<string, z.output<typeof Value>>
/** Some values may name a secret. */
type GivenTransport =
  | { type: 'stdio'; command: string; args: string[]; env: Values }
  | { type: 'http'; url: string; headers: Values }
type Changes = Awaited<ReturnType<typeof registerDefinitions>>

interface Saving {
  name: string
  known: RecordOf<'upstream'> | undefined
  /** Undefined: as it is recorded. */
  given: GivenTransport | undefined
  status: 'active' | 'disabled'
}

/** The upstream, its credentials and all of its tools in one transaction, so that nothing is half registered. */
function save(ctx: OpenContext, { name, known, given, status }: Saving, register: (tx: Tx) => Promise<Changes>) {
  return ctx.db.tx(async (tx) => {
    const changes = await register(tx)
    const sealed = given && (await sealTransport(tx, ctx.config, { upstream: name, transport: given }))
    const transport = sealed ? { transport: sealed } : {}
    if (known) return { record: await updateRecord(tx, 'upstream', known.id, { ...transport, status }), changes }
    const created = await createRecord(tx, 'upstream', { name, transport: sealed ?? {} })
    const record = status === 'active' ? created : await updateRecord(tx, 'upstream', created.id, { status })
    return { record, changes }
  })
}

function chosen<T>(offered: ReadonlyMap<string, T>, wanted: readonly string[] | undefined): T[] {
  if (!wanted) return [...offered.values()]
  return wanted.map((name, index) => {
    const definition = offered.get(name)
    if (!definition) throw badInput(`tools[${index}]`, 'is not offered by the upstream')
    return definition
  })
}

function transportOf({
  type,
  command,
  args = [],
  env = {},
  url,
  headers = {},
}: z.output<typeof Transport>): GivenTransport {
  if (type === 'stdio') {
    if (command === undefined) throw badInput('transport.command', 'is required for type stdio')
    return { type, command, args, env: env as Values }
  }
  if (url === undefined || !URL.canParse(url)) throw badInput('transport.url', 'must be a URL for type http')
  return { type, url, headers: headers as Values }
}

/** Of the environment and of headers only the names are shown. */
function shown({ id, name, status, transport }: RecordOf<'upstream'>) {
  const { env, headers, ...rest } = transport as { env?: object; headers?: object }
  const names = { ...(env ? { env: Object.keys(env) } : {}), ...(headers ? { headers: Object.keys(headers) } : {}) }
  return { id, name, status, transport: { ...rest, ...names } }
}
