import { listRecords, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { storeEmbedding } from '@story-portal/shared/embedding'
import { compareVersions, versionRange } from '@story-portal/shared/engine'
import { errors, type StoryPortalError } from '@story-portal/shared/errors'
import { faults } from './errors.ts'
import { faultsOf, type JsonSchema } from './json-schema.ts'

const MAX_VERSIONS = 200

type Tool = RecordOf<'tool'>

/** The highest version of a tool within the range; an active one before a deprecated one, and not one whose time is over. */
export async function chooseVersion(tx: Tx, name: string, range = '*'): Promise<Tool> {
  const usable = (await versionsOf(tx, name, range)).filter((tool) => tool.status !== 'disabled')
  const [best] = usable.filter((tool) => !isOver(tool)).sort(byPreference)
  if (best) return best
  const [over] = usable.sort(byPreference)
  if (over)
    throw faults.sunset({ tool: `${name} ${over.semver}`, sunset_at: over.sunset_at ?? '', instead: insteadOf(over) })
  throw await noVersion(tx, name, range)
}

/** Versions of a tool within the range, whatever their status, the highest first. Throws when there are none. */
export async function versionsOf(tx: Tx, name: string, range = '*'): Promise<Tool[]> {
  const admits = versionRange(range)
  const found = (await allVersions(tx, name)).filter((tool) => admits(tool.semver))
  if (found.length === 0) throw await noVersion(tx, name, range)
  return found.sort((a, b) => compareVersions(b.semver, a.semver))
}

async function allVersions(tx: Tx, name: string): Promise<Tool[]> {
  const { items } = await listRecords(tx, 'tool', { filter: { name }, sort: '-created_at', limit: MAX_VERSIONS })
  if (items.length > 0) return items
  throw errors.notFound(
    { kind: 'tool', id: name },
    { hint: 'search_registered_tools and list_registered_tools show what there is; register_tool adds one.' },
  )
}

async function noVersion(tx: Tx, name: string, range: string) {
  const versions = (await allVersions(tx, name)).map((tool) => tool.semver).sort(compareVersions)
  return faults.noMatchingVersion({ tool: name, range, versions: versions.slice(-10).join(', ') })
}

/** A deprecated tool answers until its sunset. Dates are days away, so this process's clock is good enough. */
function isOver(tool: Tool): boolean {
  return tool.status === 'deprecated' && tool.sunset_at !== null && Date.parse(tool.sunset_at) <= Date.now()
}

/** What a caller of a deprecated tool should know; undefined for an active one. */
export function deprecationOf(tool: Tool): string | undefined {
  if (tool.status !== 'deprecated') return undefined
  const until = tool.sunset_at === null ? '' : ` and answers until ${tool.sunset_at}`
  return `${tool.name} ${tool.semver} is deprecated${until}. ${insteadOf(tool)}`
}

function insteadOf({ replacement }: Tool): string {
  return replacement === null ? 'There is no replacement.' : `Use ${replacement}.`
}

/** What clients call a version is the tool's own; the record's is another matter. */
export function shownTool<T extends Partial<Tool> & Pick<Tool, 'id' | 'semver' | 'version'>>(tool: T) {
  const { version: record_version, semver: version, tenant_id: _t, deleted_at: _d, ...shown } = tool
  return { ...shown, id: tool.id, version, record_version, ...reversibilityOf(tool) }
}

/** Nothing to undo; undone by compensate_invocation; or not at all. Of a tool whose source is at hand. */
function reversibilityOf({ source, effect }: Partial<Tool>) {
  if (typeof source !== 'object' || source === null || effect === undefined) return {}
  if (effect === 'pure') return { reversibility: 'reversible' as const }
  return { reversibility: 'compensate' in source ? ('compensable' as const) : ('irreversible' as const) }
}

export const TOOL_EMBEDDING = 'tool'

/** Makes a tool findable by what it is about; its name says more of that than any sentence. */
export async function embedTool(tx: Tx, { id, name, title, description }: Tool): Promise<void> {
  await storeEmbedding(tx, TOOL_EMBEDDING, { id, text: [name, name, name, title ?? '', description].join('\n') })
}

function byPreference(a: Tool, b: Tool): number {
  if (a.status !== b.status) return a.status === 'active' ? -1 : 1
  return compareVersions(b.semver, a.semver)
}

/** Why the arguments can not be given to the tool. */
export function argumentsFault(tool: Tool, args: unknown): StoryPortalError | undefined {
  const found = faultsOf(tool.input_schema as JsonSchema, args, 'arguments')
  if (found.length === 0) return undefined
  const summary = found.map(({ path, message }) => `${path} ${message}`).join('; ')
  return faults.argumentsDontFit({ tool: `${tool.name} ${tool.semver}`, summary }, { details: { faults: found } })
}
