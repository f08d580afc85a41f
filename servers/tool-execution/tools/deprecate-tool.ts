import { inMs, updateRecords } from '@story-portal/shared/data'
import { badInput } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { shownTool, versionsOf } from '../registered-tools.ts'
import { ShownTool, ToolName, VersionRange } from '../schema.ts'

export default defineTool({
  name: 'deprecate_tool',
  description:
    'Marks versions of a registered tool as deprecated: they answer with a warning, and from sunset_at on not at all. restore: true takes it back.',
  effect: 'update',
  input: {
    tool: ToolName,
    version: VersionRange.default('*').describe('Version or range; all versions when left out'),
    sunset_at: z.iso.datetime({ offset: true }).optional().describe('From then on calls are refused'),
    replacement: z.string().min(1).max(200).optional().describe('What callers should use, such as csv_parse ^2'),
    reason: z.string().min(1).max(1000).optional().describe('Kept in the history'),
    restore: z.boolean().default(false).describe('Makes deprecated versions active again'),
  },
  output: { items: z.array(ShownTool) },
  async run({ tool: name, version, sunset_at, replacement, reason, restore }, { tx }) {
    if (restore && (sunset_at !== undefined || replacement !== undefined))
      throw badInput('restore', 'takes neither sunset_at nor replacement')
    const versions = (await versionsOf(tx, name, version)).filter((tool) => tool.status !== 'disabled')
    const changes = restore
      ? { status: 'active' as const, deprecated_at: null, sunset_at: null, replacement: null }
      : {
          status: 'deprecated' as const,
          sunset_at: sunset_at === undefined ? null : new Date(sunset_at).toISOString(),
          replacement: replacement ?? null,
        }
    const changed = versions.filter((tool) => !restore || tool.status === 'deprecated')
    const updates = changed.map(({ id, status }) => ({
      id,
      changes: restore || status === 'deprecated' ? changes : { ...changes, deprecated_at: inMs(0) },
    }))
    const items = await updateRecords(tx, 'tool', updates, reason === undefined ? {} : { reason })
    return { items: items.map(({ source: _s, input_schema: _i, output_schema: _o, ...tool }) => shownTool(tool)) }
  },
})
