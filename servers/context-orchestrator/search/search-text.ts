import { type Checkpoint, PARTS, type Part } from '../checkpoint.ts'

/** The texts of a checkpoint by part, the most valuable first. */
export function textsOf(checkpoint: Checkpoint): [Part, string[]][] {
  return PARTS.flatMap((part): [Part, string[]][] => {
    const value = checkpoint[part]
    return value === undefined ? [] : [[part, (Array.isArray(value) ? value : [value]).map(textOf)]]
  })
}

/** All of it as lines. */
export function searchText(checkpoint: Checkpoint): string {
  return textsOf(checkpoint)
    .flatMap(([, texts]) => texts)
    .join('\n')
}

function textOf(entry: unknown): string {
  if (typeof entry === 'string') return entry
  if (Array.isArray(entry)) return entry.map(textOf).join('; ')
  return Object.values(entry as object)
    .map(textOf)
    .join(' - ')
}
