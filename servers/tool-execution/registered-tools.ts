import { listRecords, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { compareVersions, versionRange } from '@story-portal/shared/engine'
import { errors, type StoryPortalError } from '@story-portal/shared/errors'
import { faults } from './errors.ts'
import { faultsOf, type JsonSchema } from './json-schema.ts'

const MAX_VERSIONS = 200

/** The highest version of a tool within the range that may be called; an active one before a deprecated one. */
export async function chooseVersion(tx: Tx, name: string, range: string): Promise<RecordOf<'tool'>> {
  const admits = versionRange(range)
  const { items } = await listRecords(tx, 'tool', { filter: { name }, sort: '-created_at', limit: MAX_VERSIONS })
  if (items.length === 0) {
    throw errors.notFound(
      { kind: 'tool', id: name },
      { hint: 'Register it with register_tool; list_records with kind "tool" lists what there is.' },
    )
  }
  const usable = items.filter((tool) => tool.status !== 'disabled' && admits(tool.semver)).sort(byPreference)
  const [best] = usable
  if (best) return best
  const versions = items.map((tool) => tool.semver).sort(compareVersions)
  throw faults.noMatchingVersion({ tool: name, range, versions: versions.slice(-10).join(', ') })
}

function byPreference(a: RecordOf<'tool'>, b: RecordOf<'tool'>): number {
  if (a.status !== b.status) return a.status === 'active' ? -1 : 1
  return compareVersions(b.semver, a.semver)
}

/** Why the arguments can not be given to the tool. */
export function argumentsFault(tool: RecordOf<'tool'>, args: unknown): StoryPortalError | undefined {
  const found = faultsOf(tool.input_schema as JsonSchema, args, 'arguments')
  if (found.length === 0) return undefined
  const summary = found.map(({ path, message }) => `${path} ${message}`).join('; ')
  return faults.argumentsDontFit({ tool: `${tool.name} ${tool.semver}`, summary }, { details: { faults: found } })
}
