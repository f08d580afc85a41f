import { type Checkpoint, PARTS, type Part, WHOLE } from './checkpoint.ts'
import type { Drift } from './drift/drift.ts'
import { driftLines } from './drift/drift-lines.ts'
import { fit } from './fit.ts'

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
  /** All of it. */
  checkpoint: Checkpoint
  drift: Drift
}

/**
 * What an assistant without memory has to read to go on: plain text within a budget of four bytes a token, what has changed since first, then the most
 * valuable; what is left out is named.
 */
export function resumePrompt(resumed: Resumed, maxTokens: number): string {
  const most = maxTokens * 4
  // Titles and the head cost something too: what they cost is taken from the parts.
  for (let budget = maxTokens; ; ) {
    const text = written(resumed, { budget, most })
    const over = Buffer.byteLength(text) - most
    if (over <= 0 || budget === 0) return text
    budget = Math.max(0, budget - Math.ceil(over / 4))
  }
}

function written(resumed: Resumed, { budget, most }: { budget: number; most: number }): string {
  const { title, project, version, updated_at, checkpoint, drift } = resumed
  const fitted = fit(checkpoint, budget, WHOLE)
  const head = `You go on with "${short(title)}" in project ${short(project)}, saved at ${updated_at} (version ${version}).`
  const parts = PARTS.flatMap((part) => {
    const value = fitted.kept[part]
    return value === undefined ? [] : [sectionOf(part, value)]
  })
  const since = driftLines(drift, most / 4)
  const drifted = since.length === 0 ? [] : [section('Changed since then', since)]
  const cut = fitted.omitted.map(({ part }) => part)
  const more = cut.length === 0 ? [] : [`Left out: ${cut.join(', ')}. get_unified_context has all.`]
  return [head, ...drifted, ...parts, ...more].join('\n\n')
}

/** A part under its title, its entries a line each. */
export function sectionOf(part: Part, value: string | readonly unknown[]): string {
  return section(TITLES[part], value)
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
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
