import { marked, type Token, type Tokens } from 'marked'
import type { BuiltinTool } from '../builtins/builtin-tool.ts'
import { plainText } from '../builtins/markdown-text.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Tables of Markdown',
  description: 'Reads every table of a Markdown text, as columns and rows of plain text.',
  input_schema: {
    type: 'object',
    properties: { text: { type: 'string' } },
    required: ['text'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      tables: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            heading: { type: ['string', 'null'], description: 'The last heading before it' },
            columns: { type: 'array', items: { type: 'string' } },
            rows: { type: 'array', items: { type: 'array', items: { type: 'string' } } },
          },
          required: ['heading', 'columns', 'rows'],
        },
      },
    },
    required: ['tables'],
  },
}

export default function markdownTables({ text }: { text: string }) {
  const tables: object[] = []
  let heading: string | null = null
  for (const token of marked.lexer(text)) {
    if (token.type === 'heading') heading = plainText(token.tokens ?? []).replaceAll('\n', ' ')
    for (const table of tablesIn(token)) {
      const columns = table.header.map((cell) => plainText(cell.tokens))
      const rows = table.rows.map((row) => row.map((cell) => plainText(cell.tokens)))
      tables.push({ heading, columns, rows })
    }
  }
  return { tables }
}

/** Lists and quotations have tables too. */
function tablesIn(token: Token): Tokens.Table[] {
  if (token.type === 'table') return [token as Tokens.Table]
  const { tokens = [], items = [] } = token as { tokens?: Token[]; items?: Token[] }
  return [...tokens, ...items].flatMap(tablesIn)
}
