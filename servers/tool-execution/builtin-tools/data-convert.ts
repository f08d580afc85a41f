import Papa from 'papaparse'
import { parseDocument, stringify } from 'yaml'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

const FORMAT = { enum: ['json', 'csv', 'yaml'] }

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Convert CSV, JSON and YAML',
  description:
    'Converts a text between CSV, JSON and YAML. CSV is read as a list of objects, one per row, by the names in its first line; only such a list can become CSV.',
  input_schema: {
    type: 'object',
    properties: {
      text: { type: 'string' },
      from: FORMAT,
      to: FORMAT,
      delimiter: {
        type: 'string',
        minLength: 1,
        maxLength: 1,
        description: 'Of CSV; found out when reading, a comma when writing',
      },
      types: { type: 'boolean', description: 'Numbers and true/false in CSV become JSON ones, not strings' },
    },
    required: ['text', 'from', 'to'],
    additionalProperties: false,
  },
  output_schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}

interface Input {
  text: string
  from: 'json' | 'csv' | 'yaml'
  to: 'json' | 'csv' | 'yaml'
  delimiter?: string
  types?: boolean
}

export default function dataConvert(input: Input) {
  return { text: write(input, read(input)) }
}

function read({ text, from, delimiter = '', types = false }: Input): unknown {
  if (from === 'csv') return readCsv(text, { delimiter, types })
  if (from === 'yaml') return readYaml(text)
  try {
    return JSON.parse(text)
  } catch {
    return refuse('text', 'is not JSON')
  }
}

function readCsv(text: string, { delimiter, types }: { delimiter: string; types: boolean }): unknown {
  const options = { header: true, skipEmptyLines: true, delimiter, dynamicTyping: types } as const
  const { data, errors, meta } = Papa.parse<Record<string, unknown>>(text, options)
  // A text of one column has no delimiter to be found.
  const [first] = errors.filter(({ type }) => type !== 'Delimiter')
  if (first)
    refuse(
      'text',
      first.type === 'Quotes'
        ? `has a quote in row ${(first.row ?? 0) + 1} that is not closed`
        : `has ${first.code === 'TooManyFields' ? 'more' : 'fewer'} fields in row ${(first.row ?? 0) + 1} than its first line names`,
    )
  if (meta.renamedHeaders && Object.keys(meta.renamedHeaders).length > 0) refuse('text', 'names a column twice')
  return data
}

function readYaml(text: string): unknown {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) refuse('text', `is not YAML: line ${error.linePos?.[0].line ?? 1} can not be read`)
  try {
    // Aliases that multiply are refused by the library.
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    return refuse('text', 'repeats parts by aliases too often')
  }
}

function write({ to, delimiter = ',' }: Input, data: unknown): string {
  if (to === 'json') return JSON.stringify(data, null, 2)
  if (to === 'yaml') return stringify(data)
  if (!Array.isArray(data) || !data.every(isRow))
    return refuse('text', 'is no list of flat objects, and only that can be CSV')
  const columns = [...new Set(data.flatMap((row) => Object.keys(row)))]
  return `${Papa.unparse({ fields: columns, data }, { delimiter, newline: '\n' })}\n`
}

function isRow(row: unknown): row is Record<string, unknown> {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return false
  return Object.values(row).every((value) => typeof value !== 'object' || value === null)
}
