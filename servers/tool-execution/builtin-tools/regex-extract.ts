import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Extract by regular expression',
  description:
    'Finds all matches of a JavaScript regular expression in a text, with their groups and positions. One that takes too long ends with the limit of the run.',
  input_schema: {
    type: 'object',
    properties: {
      text: { type: 'string' },
      pattern: { type: 'string', minLength: 1, maxLength: 10_000 },
      flags: { type: 'string', pattern: '^[imsuv]{0,5}$', description: 'Of i, m, s, u, v' },
      limit: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Matches at most; 1000' },
    },
    required: ['text', 'pattern'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      matches: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            text: { type: 'string' },
            index: { type: 'integer', description: 'In UTF-16 units, from 0' },
            line: { type: 'integer', description: 'From 1' },
            groups: { type: 'array', items: { type: ['string', 'null'] } },
            named: { type: 'object', additionalProperties: { type: ['string', 'null'] } },
          },
          required: ['text', 'index', 'line', 'groups', 'named'],
        },
      },
      more: { type: 'boolean', description: 'There are more than limit' },
    },
    required: ['matches', 'more'],
  },
}

interface Input {
  text: string
  pattern: string
  flags?: string
  limit?: number
}

const HALF = /\p{Surrogate}/u

export default function regexExtract({ text, pattern, flags = '', limit = 1000 }: Input) {
  const matches: object[] = []
  let [line, counted] = [1, 0]
  for (const match of text.matchAll(compile(pattern, flags))) {
    if (matches.length === limit) return { matches, more: true }
    for (; counted < match.index; counted++) if (text[counted] === '\n') line += 1
    if (match.some((part) => HALF.test(part ?? '')))
      refuse('pattern', `matches half of a character at ${match.index}: add the flag u`)
    const groups = match.slice(1).map((group) => group ?? null)
    const named = Object.entries(match.groups ?? {}).map(([name, group]) => [name, group ?? null])
    matches.push({ text: match[0], index: match.index, line, groups, named: Object.fromEntries(named) })
  }
  return { matches, more: false }
}

function compile(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, `${flags}g`)
  } catch {
    return refuse('pattern', 'is not a regular expression of JavaScript with these flags')
  }
}
