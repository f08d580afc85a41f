import { createRecord, hashJson, listRecords, sha256 } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { isVersion } from '@story-portal/shared/engine'
import { badInput, type StoryPortalError } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Concurrency } from '../concurrency.ts'
import { faults } from '../errors.ts'
import { assertMayGrant, grantsOf } from '../grants.ts'
import { checkSchema, type JsonSchema } from '../json-schema.ts'
import { embedTool, shownTool } from '../registered-tools.ts'
import { sandboxOf } from '../sandbox-of-host.ts'
import { Limits, Permissions, ShownTool, ToolName } from '../schema.ts'
import { type Registered, registeredSource } from '../sources/registered-source.ts'
import { effectOf } from '../work.ts'

const Schema = z.record(z.string(), z.unknown())

export default defineTool({
  name: 'register_tool',
  description:
    'Registers one version of a tool, which never changes afterwards. To run code once without keeping it, use run_code.',
  effect: 'create',
  input: {
    name: ToolName,
    version: z.string().max(100).describe('Such as 1.0.0'),
    description: z.string().min(1).max(20_000).describe('What it does, when to use it'),
    input_schema: Schema.describe('JSON Schema of the arguments'),
    output_schema: Schema.optional().describe('JSON Schema of the result'),
    source: z
      .looseObject({ type: z.enum(['javascript', 'mcp', 'http']) })
      .describe('code, language as run_code, or tool: one of an upstream; verify, compensate: code'),
    permissions: Permissions.optional(),
    limits: Limits.optional(),
    concurrency: Concurrency.optional(),
    requires_approval: z.boolean().default(false).describe('By a person'),
  },
  output: { tool: ShownTool },
  async prepare(args, ctx) {
    const { source, asks } = await registeredSource(ctx, args.source)
    if (args.permissions) assertMayGrant(ctx.caller, args.permissions)
    if (args.name.startsWith('std_')) throw badInput('name', 'must not begin with std_, which names the built-in tools')
    if (!isVersion(args.version)) throw badInput('version', 'must be a semantic version such as 1.2.3')
    checkSchema(args.input_schema, 'input_schema')
    if (args.output_schema) checkSchema(args.output_schema, 'output_schema')
    const { verify, compensate, language } = source
    const texts = { ...(source.type === 'javascript' ? { code: source.code } : {}), verify, compensate }
    for (const [path, code] of Object.entries(texts)) {
      if (code === undefined) continue
      const checked = await sandboxOf(ctx.host).check({ code, language })
      if (!checked.ok) throw at(`source.${path}`, checked.error)
    }
    return columnsOf({ ...args, requires_approval: args.requires_approval || asks }, source)
  },
  run: (_args, { tx }, columns) => create(tx, columns),
})

interface Registration {
  name: string
  version: string
  description: string
  input_schema: JsonSchema
  output_schema?: JsonSchema | undefined
  permissions?: z.output<typeof Permissions> | undefined
  limits?: object | undefined
  concurrency?: object | undefined
  requires_approval: boolean
}

function columnsOf({ permissions = { tools: [] }, ...args }: Registration, source: Registered) {
  const { type, ...parts } = source
  const plain = type === 'javascript' && Object.keys(parts).length === 1
  return {
    name: args.name,
    semver: args.version,
    description: args.description,
    input_schema: args.input_schema,
    output_schema: args.output_schema ?? null,
    source: { ...source },
    source_hash: plain ? sha256(source.code) : hashJson(type === 'javascript' ? parts : source),
    permissions,
    limits: { ...args.limits },
    concurrency: args.concurrency === undefined ? null : { ...args.concurrency },
    requires_approval: args.requires_approval,
    effect: effectOf({ source, grants: grantsOf(permissions) }),
  }
}

async function create(tx: Tx, columns: ReturnType<typeof columnsOf>) {
  const { name, semver } = columns
  const { items } = await listRecords(tx, 'tool', { filter: { name, semver }, limit: 1, includeDeleted: true })
  if (items.length > 0) throw faults.versionExists({ tool: name, version: semver })
  const tool = await createRecord(tx, 'tool', columns)
  await embedTool(tx, tool)
  return { tool: shownTool(tool) }
}

/** Which of the texts is meant; code alone needs no saying. */
function at(path: string, error: StoryPortalError): StoryPortalError {
  return path === 'source.code' ? error : badInput(path, error.message)
}
