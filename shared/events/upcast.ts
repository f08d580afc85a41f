import { eventErrors } from './errors.ts'
import type { StoredEvent } from './stored-event.ts'

/** Lifts the data of one schema version to the next; pure, so that an old event reads the same for ever. */
export type Upcaster = (data: unknown) => unknown

const steps = new Map<string, Map<number, Upcaster>>()

/** Declares how data of `type` at `fromVersion` becomes data of `fromVersion + 1`. Declaring a step twice is a bug and throws. */
export function defineUpcaster(type: string, fromVersion: number, upcast: Upcaster): void {
  const chain = steps.get(type) ?? new Map<number, Upcaster>()
  if (chain.has(fromVersion)) throw new Error(`${type} has an upcaster from version ${fromVersion} already`)
  chain.set(fromVersion, upcast)
  steps.set(type, chain)
}

/** The newest schema version of a type: 1, or one more than its highest upcaster. */
export function currentSchemaVersion(type: string): number {
  return Math.max(0, ...(steps.get(type)?.keys() ?? [])) + 1
}

/** The event with its data at the newest schema version. Throws E0305 when the event is newer than this program. */
export function upcast(event: StoredEvent): StoredEvent {
  const chain = steps.get(event.type)
  const known = currentSchemaVersion(event.type)
  // Types without upcasters carry whatever version their writer declared; only a known chain can be outrun.
  if (!chain || event.schema_version === known) return event
  if (event.schema_version > known) {
    throw eventErrors.newerThanKnown({ type: event.type, version: event.schema_version, known })
  }
  let data = event.data
  for (let version = event.schema_version; version < known; version++) data = stepOf(chain, event.type, version)(data)
  return { ...event, schema_version: known, data }
}

function stepOf(chain: ReadonlyMap<number, Upcaster>, type: string, version: number): Upcaster {
  const step = chain.get(version)
  if (!step) throw new Error(`there is no upcaster of ${type} from version ${version}`)
  return step
}
