import { type Fault, invalidBy } from '@story-portal/shared/errors'
import { schemaFaults, suggest } from '@story-portal/shared/mcp'
import { PARTS, Updates } from './checkpoint.ts'

/**
 * The updates as parts of a checkpoint, or INVALID_INPUT with every fault. Checked here and not by the definition of the tool, which
 * would be twice as long as clients should have to read.
 */
export function checkedUpdates(given: Record<string, unknown>): Updates {
  const parsed = Updates.safeParse(given)
  if (parsed.success) return parsed.data
  const found = schemaFaults(parsed.error, given, 'updates')
  throw invalidBy(found.map((fault) => ({ ...fault, ...nearest(fault) })))
}

/** For a part whose name is not quite one. */
function nearest({ path }: Fault): Pick<Fault, 'hint'> {
  const [, part = ''] = path.split('.', 2)
  const near = PARTS.some((known) => part === known || part.startsWith(`${known}[`)) ? undefined : suggest(part, PARTS)
  return near === undefined ? {} : { hint: `Did you mean ${near}?` }
}
