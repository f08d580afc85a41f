/** A task context made of something that was kept elsewhere. */
export interface Imported {
  /** Names it in its source; the same again is the same task. */
  key: string
  title: string
  status: 'active' | 'completed' | 'archived'
  updates: Record<string, unknown>
  /** Keys of what it is related to. */
  related: string[]
}

export interface Source {
  kind: 'server-memory' | 'claude-contexts' | 'markdown'
  tasks: Imported[]
  /** What was not taken, each with the reason. */
  skipped: { file: string; reason: string }[]
}

const LINE = 2_000
const TEXT = 4_000
const NOTES = 100_000

/** What fits into one entry of a list; what does not goes whole into the notes. */
export function entries(given: readonly string[]): { lines: string[]; rest: string[] } {
  const all = given.map((line) => line.trim()).filter((line) => line !== '')
  return { lines: all.filter((line) => line.length <= LINE), rest: all.filter((line) => line.length > LINE) }
}

export function text(given: string): string | undefined {
  const trimmed = given.trim()
  return trimmed === '' ? undefined : trimmed.slice(0, TEXT)
}

/** Notes of several pieces; undefined when there is nothing, an Error when it is more than a task keeps. */
export function notes(pieces: readonly string[]): string | undefined {
  const all = pieces
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '')
    .join('\n\n')
  if (all.length > NOTES) throw new Error(`it has ${all.length} characters of text, of which a task keeps ${NOTES}`)
  return all === '' ? undefined : all
}

/** Without what is empty. */
export function updates(parts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parts).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  )
}
