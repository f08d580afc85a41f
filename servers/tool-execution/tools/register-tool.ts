import { createRecord, hashJson, listRecords, sha256 } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { isVersion } from '@story-portal/shared/engine'
import { badInput, type StoryPortalError } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Concurrency } from '../concurrency.ts'
import { faults } from '../errors.ts'
import { assertMayGrant, grantsAnything, grantsOf } from '../grants.ts'
import { checkSchema, type JsonSchema } from '../json-schema.ts'
import { embedTool, shownTool } from '../registered-tools.ts'
import { sandboxOf } from '../sandbox-of-host.ts'
import { Code, Language, Limits, Permissions, ShownTool, ToolName } from '../schema.ts'

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
      .describe('code, language as run_code; verify, compensate: code for lost answers, undoing'),
    permissions: Permissions.optional(),
    limits: Limits.optional(),
    concurrency: Concurrency.optional(),
    requires_approval: z.boolean().default(false).describe('By a person'),
  },
  output: { tool: ShownTool },
  async prepare(args, ctx) {
    const source = sourceOf(args.source)
    if (args.permissions) assertMayGrant(ctx.caller, args.permissions)
    if (args.name.startsWith('std_')) throw badInput('name', 'must not begin with std_, which names the built-in tools')
    if (!isVersion(args.version)) throw badInput('version', 'must be a semantic version such as 1.2.3')
    checkSchema(args.input_schema, 'input_schema')
    if (args.output_schema) checkSchema(args.output_schema, 'output_schema')
    for (const path of ['code', 'verify', 'compensate'] as const) {
      const { [path]: code, language } = source
      if (code === undefined) continue
      const checked = await sandboxOf(ctx.host).check({ code, language })
      if (!checked.ok) throw at(`source.${path}`, checked.error)
    }
    return columnsOf(args, source)
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

function columnsOf({ permissions = { tools: [] }, ...args }: Registration, source: Source) {
  return {
    name: args.name,
    semver: args.version,
    description: args.description,
    input_schema: args.input_schema,
    output_schema: args.output_schema ?? null,
    source: { type: 'javascript', ...source },
    source_hash: Object.keys(source).length === 1 ? sha256(source.code) : hashJson(source),
    permissions,
    limits: { ...args.limits },
    concurrency: args.concurrency === undefined ? null : { ...args.concurrency },
    requires_approval: args.requires_approval,
    effect: grantsAnything(grantsOf(permissions)) ? ('journaled' as const) : ('pure' as const),
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

interface Source {
  code: string
  /** Of all three; absent: JavaScript. */
  language?: 'typescript'
  verify?: string
  compensate?: string
}

function sourceOf({ type, ...given }: { type: string }): Source {
  if (type !== 'javascript') throw faults.sourceUnavailable({ type })
  const { code, verify, compensate, language = 'javascript', ...unknown } = given as Record<string, unknown>
  const [strange] = Object.keys(unknown)
  if (strange !== undefined) throw badInput(`source.${strange}`, 'is not a known field')
  if (!Language.safeParse(language).success) throw badInput('source.language', 'must be javascript or typescript')
  if (code === undefined) throw badInput('source.code', 'is required for a javascript source')
  const texts = Object.entries({ code, verify, compensate }).filter(([, text]) => text !== undefined)
  for (const [name, text] of texts)
    if (!Code.safeParse(text).success) throw badInput(`source.${name}`, 'must be a text of 1 to 262144 characters')
  const { code: main = '', ...hooks } = Object.fromEntries(texts) as Record<string, string>
  return { code: main, ...(language === 'typescript' ? { language } : {}), ...hooks }
}

/** Which of the texts is meant; code alone needs no saying. */
function at(path: string, error: StoryPortalError): StoryPortalError {
  return path === 'source.code' ? error : badInput(path, error.message)
}
