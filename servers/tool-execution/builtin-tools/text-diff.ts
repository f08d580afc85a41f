import { createTwoFilesPatch, FILE_HEADERS_ONLY, structuredPatch } from 'diff'
import type { BuiltinTool } from '../builtins/builtin-tool.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Difference of two texts',
  description:
    'Compares two texts line by line and returns a unified diff, with how many lines were added and removed.',
  input_schema: {
    type: 'object',
    properties: {
      before: { type: 'string' },
      after: { type: 'string' },
      name: { type: 'string', maxLength: 500, description: 'Of the file, for the header of the diff' },
      context: { type: 'integer', minimum: 0, maximum: 100, description: 'Unchanged lines around a change; 3' },
      ignore_whitespace: { type: 'boolean', description: 'At the ends of lines' },
    },
    required: ['before', 'after'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      identical: { type: 'boolean' },
      added: { type: 'integer' },
      removed: { type: 'integer' },
      diff: { type: 'string', description: 'Empty when the texts are identical' },
    },
    required: ['identical', 'added', 'removed', 'diff'],
  },
}

interface Input {
  before: string
  after: string
  name?: string
  context?: number
  ignore_whitespace?: boolean
}

export default function textDiff({ before, after, name = 'text', context = 3, ignore_whitespace = false }: Input) {
  const options = { context, ignoreWhitespace: ignore_whitespace, headerOptions: FILE_HEADERS_ONLY }
  const [from, to] = [`a/${name}`, `b/${name}`]
  const lines = structuredPatch(from, to, before, after, undefined, undefined, options).hunks.flatMap(
    (hunk) => hunk.lines,
  )
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length
  const identical = lines.length === 0
  const diff = identical ? '' : createTwoFilesPatch(from, to, before, after, undefined, undefined, options)
  return { identical, added: count('+'), removed: count('-'), diff }
}
