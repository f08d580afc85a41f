import { type Checkpoint, PARTS, type Part } from './checkpoint.ts'

const TITLES: Record<Part, string> = {
  next_action: 'Next action',
  blockers: 'Blocked by',
  constraints: 'Constraints',
  goal: 'Goal',
  open_approvals: 'Waiting for approval',
  pending_steps: 'Still to do',
  locked_elements: 'Not to be changed',
  decisions: 'Decided',
  tests: 'Tests',
  key_files: 'Key files',
  done_steps: 'Done',
  notes: 'Notes',
}

export interface Resumed {
  title: string
  project: string
  version: number
  /** When it was saved. */
  updated_at: string
  /** What of it fits the budget. */
  checkpoint: Checkpoint
  /** Names of parts that were cut. */
  cut: readonly string[]
}

/** What an assistant without memory has to read to go on: plain text, the most valuable first. */
export function resumePrompt({ title, project, version, updated_at, checkpoint, cut }: Resumed): string {
  const head = `You go on with "${title}" in project ${project}, as it was saved at ${updated_at} (version ${version}).`
  const parts = PARTS.flatMap((part) => {
    const value = checkpoint[part]
    return value === undefined ? [] : [section(TITLES[part], value)]
  })
  const more = cut.length === 0 ? [] : [`Left out for length: ${cut.join(', ')}. get_unified_context has all.`]
  return [head, ...parts, ...more].join('\n\n')
}

function section(title: string, value: string | readonly unknown[]): string {
  if (typeof value === 'string') return `${title}: ${value}`
  return [`${title}:`, ...value.map((entry) => `- ${line(entry)}`)].join('\n')
}

/** An entry's first field is what it is about; the others follow with their names. */
function line(entry: unknown): string {
  if (typeof entry === 'string') return entry
  const [[, subject] = [], ...others] = Object.entries(entry as Record<string, unknown>)
  const rest = others.map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join('; ') : String(value)}`)
  return rest.length === 0 ? String(subject) : `${String(subject)} (${rest.join(', ')})`
}
