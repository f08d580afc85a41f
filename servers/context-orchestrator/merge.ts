import { canonicalJson } from '@story-portal/shared/data'
import { type Checkpoint, PARTS, type Part, type Updates } from './checkpoint.ts'

type Entry = string | Record<string, unknown>

/** Lists that grow, each with what names an entry; every other part is replaced. */
const GROWS: Partial<Record<Part, (entry: Entry) => unknown>> = {
  constraints: (entry) => entry,
  done_steps: (entry) => entry,
  decisions: (entry) => (entry as Record<string, unknown>).decision,
  key_files: (entry) => (entry as Record<string, unknown>).path,
  tests: (entry) => (entry as Record<string, unknown>).name,
  locked_elements: (entry) => (entry as Record<string, unknown>).element,
}

/** Editors add a file with every edit, and every save looks at each: without a bound they would fill the room of a task. */
const MOST_FILES = 500

/** The checkpoint after a partial save: what is absent stays, null empties, a step that is done is no longer pending. */
export function merge(before: Checkpoint, updates: Updates): Checkpoint {
  const after: Record<string, unknown> = { ...before }
  for (const part of PARTS) {
    const value = updates[part]
    if (value === undefined) continue
    const named = GROWS[part]
    const grow = part === 'key_files' ? latest : grown
    after[part] = named && Array.isArray(value) ? grow(before[part] as Entry[], value as Entry[], named) : value
  }
  const done = new Set((after.done_steps ?? []) as string[])
  if (Array.isArray(after.pending_steps)) after.pending_steps = after.pending_steps.filter((step) => !done.has(step))
  return Object.fromEntries(Object.entries(after).filter(([, value]) => !isEmpty(value))) as Checkpoint
}

/** Parts that differ, the most valuable first. */
export function changedParts(before: Checkpoint, after: Checkpoint): Part[] {
  return PARTS.filter((part) => canonicalJson(before[part] ?? null) !== canonicalJson(after[part] ?? null))
}

function grown(before: Entry[] = [], added: Entry[], named: (entry: Entry) => unknown): Entry[] {
  return [...new Map([...before, ...added].map((entry) => [named(entry), entry])).values()]
}

/** The same, with those that were just named at the end, and no more than the last MOST_FILES. */
function latest(before: Entry[] = [], added: Entry[], named: (entry: Entry) => unknown): Entry[] {
  const names = new Set(added.map(named))
  const others = before.filter((entry) => !names.has(named(entry)))
  return grown(others, added, named).slice(-MOST_FILES)
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0)
}
