import { entries, type Imported, notes, text, updates } from './imported.ts'

/** Headings that say what their list is; every other section becomes notes. */
const PARTS: [RegExp, string][] = [
  [/^(goal|objective|purpose|aim)s?\b/i, 'goal'],
  [/^(next|next (action|step)s?|now)\b/i, 'next_action'],
  [/^(constraints?|rules?|requirements?|conventions?)\b/i, 'constraints'],
  [/^decisions?\b/i, 'decisions'],
  [/^(done|completed|finished)\b/i, 'done_steps'],
  [/^(to ?do|pending|open|remaining)\b/i, 'pending_steps'],
  [/^(blockers?|blocked)\b/i, 'blockers'],
  [/^(key )?files\b/i, 'key_files'],
]

/** A note in Markdown: its first heading is the title, its sections are parts of a checkpoint where their headings say so. */
export function readMarkdown(content: string, name: string): Imported {
  const [head, ...sections] = content.split(/^(?=#{1,6} )/m)
  const parts: Record<string, string[]> = {}
  const others: string[] = [withoutFrontMatter(head ?? '')]
  let title: string | undefined
  for (const section of sections) {
    const [heading = '', ...lines] = section.split('\n')
    const said = heading.replace(/^#+\s*/, '').trim()
    const part = PARTS.find(([pattern]) => pattern.test(said))?.[1]
    if (part) parts[part] = [...(parts[part] ?? []), ...items(lines)]
    else if (title === undefined && heading.startsWith('# ')) {
      title = said
      others.push(lines.join('\n'))
    } else others.push(section)
  }
  const list = (part: string) => entries(parts[part] ?? [])
  const rest = Object.keys(parts).flatMap((part) => list(part).rest)
  return {
    ...{ key: name, title: (title ?? name).slice(0, 300), status: 'active', related: [] },
    updates: updates({
      goal: text((parts['goal'] ?? []).join('\n')),
      next_action: text((parts['next_action'] ?? []).join('\n')),
      ...Object.fromEntries(
        ['constraints', 'done_steps', 'pending_steps', 'blockers'].map((part) => [part, unique(list(part).lines)]),
      ),
      decisions: unique(list('decisions').lines).map((decision) => ({ decision })),
      key_files: unique(list('key_files').lines).map((path) => ({ path: path.replace(/^`|`$/g, '') })),
      notes: notes([...others, ...rest]),
    }),
  }
}

/** Lines of a section: list items without their marks, everything else as it stands. */
function items(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.replace(/^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?/, ''))
    .filter((line) => line.trim() !== '')
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)].slice(0, 500)
}

function withoutFrontMatter(head: string): string {
  return head.replace(/^---\n[\s\S]*?\n---\n/, '')
}
