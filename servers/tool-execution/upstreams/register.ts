import { createRecord, hashJson, listRecords, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { compareVersions } from '@story-portal/shared/engine'
import { type Fault, isStoryPortalError } from '@story-portal/shared/errors'
import { faults } from '../errors.ts'
import { NO_GRANTS } from '../grants.ts'
import { checkSchema } from '../json-schema.ts'
import { embedTool } from '../registered-tools.ts'
import { effectOf, type HttpSource, type UpstreamSource } from '../work.ts'
import { changedParts, type Definition, pinOf, registeredName } from './definition.ts'
import { visibleText, visibleValue } from './suspicion.ts'

const MAX_TOOLS = 500
const NAME = /^[a-z][a-z0-9_-]{1,63}$/

type Tool = RecordOf<'tool'>

export type Change = {
  tool: string
  version?: string
  state: 'added' | 'new' | 'changed' | 'gone' | 'unchanged'
  /** Parts of the definition that are not what was accepted. */
  changed?: string[]
  flags?: string[]
}

/** Throws E3090 with every definition that can not become a tool here. */
export function checkDefinitions(upstream: string, definitions: readonly Definition[]): void {
  const names = new Map<string, string>()
  const found = definitions.slice(0, MAX_TOOLS + 1).flatMap((definition, index): Fault[] => {
    const path = `tools.${visibleText(definition.name).slice(0, 60)}`
    if (index === MAX_TOOLS) return [{ path: 'tools', message: `are more than ${MAX_TOOLS}` }]
    const name = registeredName(upstream, definition.name)
    const other = names.get(name)
    names.set(name, definition.name)
    if (!NAME.test(name)) return [{ path, message: 'has a name that is too long or empty as a tool name' }]
    if (other !== undefined) return [{ path, message: `would be registered as ${name}, as another one already is` }]
    if (definition.description.length > 20_000) return [{ path, message: 'has a description over 20000 characters' }]
    return schemaFaults(path, definition)
  })
  const [first] = found
  if (first)
    throw faults.upstreamUnusable({ upstream, count: found.length, first: first.path }, { details: { faults: found } })
}

function schemaFaults(path: string, { input_schema, output_schema }: Definition): Fault[] {
  try {
    checkSchema(input_schema, 'input_schema')
    if (output_schema) checkSchema(output_schema, 'output_schema')
    return []
  } catch (error) {
    if (!isStoryPortalError(error)) throw error
    return [{ path, message: error.message }]
  }
}

/**
 * Makes the registered tools those of the definitions. What is new, or another than what was accepted, or gone, is only reported,
 * unless `approve`: then a changed tool gets its next version, and versions that were replaced or are gone are disabled.
 */
export async function registerDefinitions(
  tx: Tx,
  upstream: string,
  { definitions, approve }: { definitions: readonly Definition[]; approve: boolean },
): Promise<Change[]> {
  const accepted = await acceptedTools(tx, upstream)
  const changes: Change[] = []
  for (const definition of definitions) {
    const before = accepted.get(definition.name)
    accepted.delete(definition.name)
    const change = compare(upstream, definition, before)
    const differs = change.state === 'changed' || change.state === 'new'
    changes.push(approve && differs ? await accept(tx, upstream, { definition, before, change }) : change)
  }
  for (const tool of accepted.values()) {
    if (approve) await updateRecord(tx, 'tool', tool.id, { status: 'disabled' })
    changes.push({ tool: tool.name, version: tool.semver, state: 'gone' })
  }
  return changes
}

function compare(upstream: string, definition: Definition, before: Tool | undefined): Change {
  const flags = visibleValue({ ...definition, read_only: null, http: null }).flags
  const change = { tool: registeredName(upstream, definition.name), ...(flags.length > 0 ? { flags } : {}) }
  if (!before) return { ...change, state: 'new' }
  const changed = changedParts((before.source as unknown as UpstreamSource).pin, definition)
  const version = before.semver
  return changed.length > 0
    ? { ...change, version, state: 'changed', changed }
    : { ...change, version, state: 'unchanged' }
}

interface Acceptance {
  definition: Definition
  before: Tool | undefined
  change: Change
}

async function accept(tx: Tx, upstream: string, { definition, before, change }: Acceptance): Promise<Change> {
  const semver = await nextVersion(tx, change.tool)
  const columns = columnsOf(upstream, definition, { semver, flags: change.flags ?? [] })
  await embedTool(tx, await createRecord(tx, 'tool', columns))
  if (before) await updateRecord(tx, 'tool', before.id, { status: 'disabled' })
  return { ...change, version: semver, ...(before ? {} : { state: 'added' as const }) }
}

/** The tools of an upstream that answer now, by the name it gives them. */
async function acceptedTools(tx: Tx, upstream: string): Promise<Map<string, Tool>> {
  const accepted = new Map<string, Tool>()
  for (let cursor: string | undefined; ; ) {
    const filter = { source: { contains: { upstream } }, status: { ne: 'disabled' } }
    const page = await listRecords(tx, 'tool', { filter, limit: 200, ...(cursor === undefined ? {} : { cursor }) })
    for (const tool of page.items) {
      const { tool: own } = tool.source as unknown as UpstreamSource
      // Not one that somebody registered over it under another name.
      if (tool.name === registeredName(upstream, own)) accepted.set(own, tool)
    }
    if (page.next_cursor === null) return accepted
    cursor = page.next_cursor
  }
}

async function nextVersion(tx: Tx, name: string): Promise<string> {
  const { items } = await listRecords(tx, 'tool', { filter: { name }, limit: 200, includeDeleted: true })
  const [highest] = items.map(({ semver }) => semver).sort((a, b) => compareVersions(b, a))
  return highest === undefined ? '1.0.0' : `${Number(highest.split('.')[0]) + 1}.0.0`
}

function columnsOf(upstream: string, definition: Definition, { semver, flags }: { semver: string; flags: string[] }) {
  const { name: tool, read_only, output_schema } = definition
  const common = { upstream, tool, pin: pinOf(definition), read_only, output_schema }
  const source: UpstreamSource | HttpSource =
    definition.http === null ? { type: 'mcp', ...common } : { type: 'http', ...common, ...definition.http }
  return {
    name: registeredName(upstream, tool),
    semver,
    title: definition.title === null ? null : visibleText(definition.title).slice(0, 200) || null,
    description: visibleText(definition.description) || `${visibleText(tool)} of ${upstream}`,
    input_schema: visibleValue(definition.input_schema).value,
    output_schema: null,
    source: { ...source },
    source_hash: hashJson(source),
    permissions: {},
    limits: {},
    // A person sees each call of a tool whose description speaks to the model.
    requires_approval: flags.length > 0,
    effect: effectOf({ source, grants: NO_GRANTS }),
  }
}
