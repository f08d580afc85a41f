import { type Checkpoint, PARTS } from '../checkpoint.ts'
import { sectionOf } from '../resume-prompt.ts'

/** One version of a task, as the files beside a project show it. */
export interface Mirrored {
  task_id: string
  title: string
  version: number
  /** When that version was saved. */
  saved_at: string
  checkpoint: Checkpoint
}

/** The same text for the same version, always: so a file that was not edited is known by what it says. */
export function renderJson({ task_id, title, version, saved_at, checkpoint }: Mirrored): string {
  const parts = Object.fromEntries(
    PARTS.flatMap((part) => (checkpoint[part] === undefined ? [] : [[part, checkpoint[part]]])),
  )
  return `${JSON.stringify({ task_id, title, version, saved_at, checkpoint: parts }, null, 2)}\n`
}

export function renderMarkdown({ task_id, title, version, saved_at, checkpoint }: Mirrored): string {
  const head = `<!-- ${task_id} version ${version}: a mirror; edits belong into the .json beside it -->`
  const parts = PARTS.flatMap((part) => (checkpoint[part] === undefined ? [] : [sectionOf(part, checkpoint[part])]))
  return `${[head, `# ${title.replace(/\s+/g, ' ')}`, `Saved at ${saved_at}, version ${version}.`, ...parts].join('\n\n')}\n`
}

/** Which version a mirror says that it is. */
export function versionIn(text: string): number | undefined {
  const said = /^<!-- tcx_[a-z0-9]+ version (\d{1,9}):/.exec(text)?.[1] ?? jsonVersion(text)
  return said === undefined ? undefined : Number(said)
}

function jsonVersion(text: string): number | undefined {
  const version = parsed(text)?.['version']
  return typeof version === 'number' && Number.isInteger(version) && version > 0 ? version : undefined
}

/** The JSON of a mirror, or what somebody made of it. */
export function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** A name that sorts by task and says what it is about. */
export function fileName({ task_id, title }: Pick<Mirrored, 'task_id' | 'title'>): string {
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
  return `${slug === '' ? 'task' : slug}-${task_id.slice(-8)}`
}
