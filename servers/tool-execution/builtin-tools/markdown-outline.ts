import { marked } from 'marked'
import type { BuiltinTool } from '../builtins/builtin-tool.ts'
import { plainText } from '../builtins/markdown-text.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Outline of Markdown',
  description:
    'Lists the headings of a Markdown text with level, line and anchor, and how many lines each section has; what looks like a heading inside code does not count.',
  input_schema: {
    type: 'object',
    properties: {
      text: { type: 'string' },
      depth: { type: 'integer', minimum: 1, maximum: 6, description: 'Lowest level that is listed; 6' },
    },
    required: ['text'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      headings: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            level: { type: 'integer' },
            text: { type: 'string' },
            line: { type: 'integer', description: 'From 1' },
            lines: { type: 'integer', description: 'Up to the next heading of this or a higher level' },
            anchor: { type: 'string', description: 'As GitHub makes it' },
          },
          required: ['level', 'text', 'line', 'lines', 'anchor'],
        },
      },
    },
    required: ['headings'],
  },
}

/** YAML at the very start, whose last line would make a heading of it. */
const FRONT_MATTER = /^---[ \t]*\r?\n(?:.*\r?\n)*?---[ \t]*(?:\r?\n|$)/

interface Heading {
  level: number
  text: string
  line: number
  anchor: string
}

export default function markdownOutline({ text, depth = 6 }: { text: string; depth?: number }) {
  const headings = headingsOf(text)
  const end = text.split('\n').length + (text.endsWith('\n') ? 0 : 1)
  const withLines = headings.map((heading, i) => {
    const next = headings.slice(i + 1).find(({ level }) => level <= heading.level)
    return { ...heading, lines: (next?.line ?? end) - heading.line }
  })
  return { headings: withLines.filter(({ level }) => level <= depth) }
}

function headingsOf(text: string): Heading[] {
  const headings: Heading[] = []
  const used = new Map<string, number>()
  const [before = ''] = FRONT_MATTER.exec(text) ?? []
  let line = before.split('\n').length
  for (const token of marked.lexer(text.slice(before.length))) {
    if (token.type === 'heading') {
      const shown = plainText(token.tokens ?? []).replaceAll('\n', ' ')
      headings.push({ level: token['depth'] as number, text: shown, line, anchor: anchorOf(shown, used) })
    }
    line += token.raw.split('\n').length - 1
  }
  return headings
}

/** The first free one, as GitHub counts: a heading may be called as a number would make another. */
function anchorOf(text: string, used: Map<string, number>): string {
  const base = text
    .toLowerCase()
    .trim()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .replace(/\s/g, '-')
  let times = used.get(base) ?? 0
  let anchor = times === 0 ? base : `${base}-${times}`
  while (used.has(anchor)) anchor = `${base}-${++times}`
  used.set(base, times + 1)
  if (anchor !== base) used.set(anchor, 1)
  return anchor
}
