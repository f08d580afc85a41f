import { badInput } from '@story-portal/shared/errors'
import type { OpenContext } from '@story-portal/shared/mcp'
import { chooseVersion } from '../registered-tools.ts'
import { Code, Language, ToolName } from '../schema.ts'
import type { CodeSource, Hooks, HttpSource, UpstreamSource } from '../work.ts'

/** A source as it is kept; its language is named only when it is not JavaScript. */
export type Registered = (Omit<CodeSource, 'language'> & Hooks) | UpstreamSource | HttpSource

type Given = Record<string, unknown> & { type: Registered['type'] }

/**
 * What register_tool keeps of a source: code, or a tool of an upstream as it is accepted now, with hooks of one's own. `asks` when that tool needs
 * a person's consent, which a second name for it does not take away.
 */
export async function registeredSource(
  ctx: OpenContext,
  { type, language = 'javascript', verify, compensate, ...own }: Given,
): Promise<{ source: Registered; asks: boolean }> {
  if (!Language.safeParse(language).success) throw badInput('source.language', 'must be javascript or typescript')
  const field = type === 'javascript' ? 'code' : 'tool'
  const [strange] = Object.keys(own).filter((name) => name !== field)
  if (strange !== undefined) throw badInput(`source.${strange}`, 'is not a known field')
  const hooks = texts({ verify, compensate })
  const named = language === 'typescript' ? { language: 'typescript' as const } : {}
  if (type === 'javascript') {
    const { code = '' } = texts({ code: own['code'] ?? '' })
    return { source: { type, code, ...named, ...hooks }, asks: false }
  }
  const { bare, asks } = await upstreamTool(ctx, type, own['tool'])
  return { source: { ...bare, ...named, ...hooks }, asks }
}

/** Those that are there, each a text that can be code. */
function texts(given: Record<string, unknown>): Record<string, string> {
  const there = Object.entries(given).filter(([, text]) => text !== undefined)
  for (const [name, text] of there)
    if (!Code.safeParse(text).success)
      throw badInput(`source.${name}`, 'must be code: a text of 1 to 262144 characters')
  return Object.fromEntries(there) as Record<string, string>
}

async function upstreamTool(ctx: OpenContext, type: 'mcp' | 'http', name: unknown) {
  const known = ToolName.safeParse(name)
  if (!known.success) throw badInput('source.tool', 'must name a registered tool of an upstream')
  const { source, requires_approval: asks } = await ctx.db.read((tx) => chooseVersion(tx, known.data))
  const { verify: _v, compensate: _c, language: _l, ...bare } = source as unknown as UpstreamSource | HttpSource
  if (bare.type !== type)
    throw badInput('source.tool', `is no tool of ${type === 'mcp' ? 'an MCP server' : 'an imported HTTP API'}`)
  return { bare: bare as UpstreamSource | HttpSource, asks }
}
