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
        pattern: '[^"\\r\\n\\ufeff]',
        description: 'Of CSV; found out when reading, a comma when writing',
      },
      types: {
        type: 'boolean',
        description: 'Numbers and true/false in CSV become JSON ones; 007 and the like stay strings',
      },
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

function read({ text: given, from, delimiter = '', types = false }: Input): unknown {
  const text = given.replace(/^\ufeff/, '')
  if (from === 'csv') return readCsv(text, { delimiter, types })
  if (from === 'yaml') return readYaml(text)
  try {
    return JSON.parse(text)
  } catch {
    return refuse('text', 'is not JSON')
  }
}

function readCsv(text: string, { delimiter, types }: { delimiter: string; types: boolean }): unknown {
  const { data, errors } = Papa.parse<string[]>(withOneLineEnd(text), { delimiter })
  // A text of one column has no delimiter to be found.
  const [first] = errors.filter(({ type }) => type === 'Quotes')
  if (first) refuse('text', `has a quote in row ${first.row ?? 0} that is not closed`)
  if (isEmpty(data.at(-1))) data.pop()
  const [columns = [], ...rows] = data.slice(data.findIndex((row) => !isEmpty(row)))
  if (new Set(columns).size < columns.length) refuse('text', 'names a column twice')
  // An empty line is a row only where it can be one.
  const filled = columns.length === 1 ? rows : rows.filter((row) => !isEmpty(row))
  return filled.map((row, i) => {
    if (row.length !== columns.length)
      refuse(
        'text',
        `has ${row.length > columns.length ? 'more' : 'fewer'} fields in row ${i + 1} than its first line names`,
      )
    return Object.fromEntries(columns.map((column, at) => [column, types ? typed(row[at] ?? '') : row[at]]))
  })
}

/** The library takes the first line end that it sees for all of them. */
function withOneLineEnd(text: string): string {
  if (!/\r\n/.test(text) || !/(?<!\r)\n/.test(text)) return text
  return text.replace(/(?<=^|[^\w ."])"(?:[^"]|"")*"|\r\n/g, (part) => (part === '\r\n' ? '\n' : part))
}

function isEmpty(row: string[] | undefined): boolean {
  return row !== undefined && row.length === 1 && row[0] === ''
}

/** Only what comes out as it went in: 007, a number of 20 digits and a date stay text. */
function typed(text: string): string | number | boolean {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(text)) return text
  const number = Number(text)
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : text
}

function readYaml(text: string): unknown {
  // Merge keys are of YAML 1.1, but every YAML that is written for people has them. Sets and bytes would be no JSON.
  const document = parseDocument(text, { merge: true, resolveKnownTags: false })
  const [error] = document.errors
  if (error) refuse('text', `is not YAML: line ${error.linePos?.[0].line ?? 1} can not be read`)
  try {
    // Aliases that multiply are refused by the library.
    return document.toJS({ maxAliasCount: 100 })
  } catch (problem) {
    const tooMany = problem instanceof Error && problem.message.startsWith('Excessive')
    return refuse('text', tooMany ? 'repeats parts by aliases too often' : 'has an alias of nothing')
  }
}

function write({ to, delimiter = ',' }: Input, data: unknown): string {
  if (to === 'json') return JSON.stringify(data, finite, 2)
  // Quotes what would be a boolean to a reader of YAML 1.1.
  if (to === 'yaml') return stringify(data, { compat: 'yaml-1.1' })
  if (!Array.isArray(data) || !data.every(isRow))
    return refuse('text', 'is no list of flat objects, and only that can be CSV')
  const columns = [...new Set(data.flatMap((row) => Object.keys(row)))]
  if (columns.length === 0) return ''
  const cells = data.map((row) => columns.map((column) => (Object.hasOwn(row, column) ? row[column] : null)))
  return `${Papa.unparse({ fields: columns, data: cells }, { delimiter, newline: '\n' })}\n`
}

function finite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? refuse('text', 'has a number that JSON has not') : value
}

function isRow(row: unknown): row is Record<string, unknown> {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return false
  return Object.values(row).every((value) => typeof value !== 'object' || value === null)
}
