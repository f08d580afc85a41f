import { createRecord, listRecords, sha256 } from '@story-portal/shared/data'
import { argumentsHash, isVersion, withIdempotency } from '@story-portal/shared/engine'
import { errors } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { sandboxOf } from '../sandbox-of-host.ts'
import { Code, Limits, Permissions, ToolName } from '../schema.ts'
import { checkSchema } from '../schemas.ts'

const Schema = z.record(z.string(), z.unknown())

export default defineTool({
  name: 'register_tool',
  description:
    'Registers one version of a tool: its code, JSON Schemas, permissions and limits; versions never change afterwards. To run code once without keeping it, use run_code.',
  effect: 'create',
  transaction: false,
  input: {
    name: ToolName,
    version: z.string().min(5).max(100).describe('Semantic version, such as 1.0.0'),
    title: z.string().min(1).max(200).optional(),
    description: z.string().min(1).max(20_000).describe('What it does and when to use it'),
    input_schema: Schema.describe('JSON Schema (2020-12) of the arguments, an object'),
    output_schema: Schema.optional().describe('JSON Schema of the result; checked after each call'),
    source: z
      .looseObject({ type: z.enum(['javascript', 'mcp', 'http']), code: Code.optional() })
      .describe('{"type": "javascript", "code": "..."}'),
    permissions: Permissions.default({ tools: [] }),
    limits: Limits.default({}),
    requires_approval: z.boolean().default(false),
  },
  output: { tool: z.looseObject({ id: z.string(), name: z.string(), version: z.string(), status: z.string() }) },
  async run(args, ctx) {
    const code = codeOf(args.source)
    if (!isVersion(args.version)) throw badInput('version', 'must be a semantic version such as 1.2.3')
    checkSchema(args.input_schema, 'input_schema')
    if (args.output_schema) checkSchema(args.output_schema, 'output_schema')
    const checked = await sandboxOf(ctx.host).check(code)
    if (!checked.ok) throw checked.error

    const { name, version: semver } = args
    const create = async (tx: Parameters<Parameters<typeof ctx.db.tx>[0]>[0]) => {
      const { items } = await listRecords(tx, 'tool', { filter: { name, semver }, limit: 1, includeDeleted: true })
      if (items.length > 0) throw faults.versionExists({ tool: name, version: semver })
      const tool = await createRecord(tx, 'tool', {
        name,
        semver,
        ...(args.title === undefined ? {} : { title: args.title }),
        description: args.description,
        input_schema: args.input_schema,
        output_schema: args.output_schema ?? null,
        source: { type: 'javascript', code },
        source_hash: sha256(code),
        permissions: args.permissions,
        limits: { ...args.limits },
        requires_approval: args.requires_approval,
        effect: args.permissions.tools.length > 0 ? 'journaled' : 'pure',
      })
      // What clients call a version is the tool's own; the record's is another matter.
      const { version: record_version, semver: version, tenant_id: _t, deleted_at: _d, ...shown } = tool
      return { tool: { ...shown, version, record_version } }
    }
    return await ctx.db.tx(async (tx) => {
      const { idempotency_key: key, caller } = ctx
      if (key === undefined) return create(tx)
      const call = { tool: 'register_tool', key, args_hash: argumentsHash(args), subject: caller.subject }
      return (await withIdempotency(tx, call, () => create(tx))).result
    })
  },
})

function codeOf(source: { type: string; code?: string | undefined }): string {
  if (source.type !== 'javascript') throw faults.sourceUnavailable({ type: source.type })
  if (source.code !== undefined) return source.code
  throw badInput('source.code', 'is required for a javascript source')
}

function badInput(path: string, message: string) {
  return errors.invalidInput({ summary: `${path} ${message}` }, { details: { faults: [{ path, message }] } })
}
