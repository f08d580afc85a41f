import { readFileSync } from 'node:fs'
import path from 'node:path'
import { markdownTable } from '../../tools/gen/markdown.ts'
import type { Row } from './row.ts'

/** One line per referee and way to reach a server, one column per server. */
export function verdictTable(rows: readonly Row[]): string {
  const servers = [...new Set(rows.map(({ server }) => server))].sort()
  const lines = [...new Set(rows.map(({ referee, over }) => `${referee}\n${over}`))]
  return markdownTable(
    ['Referee', 'Over', ...servers],
    lines.map((line) => {
      const [referee = '', over = ''] = line.split('\n')
      const cell = (server: string) => {
        const row = rows.find((one) => one.referee === referee && one.over === over && one.server === server)
        if (!row) return ''
        return row.faults.length === 0 ? row.figures : `${row.figures}, ${row.faults.length} FAULTS`
      }
      return [`${referee} ${versionOf(referee, over)}`.trim(), over, ...servers.map(cell)]
    }),
  )
}

export function faultLines(rows: readonly Row[]): string[] {
  return rows.flatMap(({ referee, server, over, faults }) =>
    faults.map((fault) => `FAULT ${referee} ${over} ${server}: ${fault.replace(/\s+/g, ' ')}`),
  )
}

const PACKAGES: Record<string, string> = {
  'ai-sdk': '@ai-sdk/mcp',
  langchain: '@langchain/mcp-adapters',
  mastra: '@mastra/mcp',
  'sdk-v1': '@modelcontextprotocol/sdk',
  'sdk-v2': '@modelcontextprotocol/client',
  inspector: '@modelcontextprotocol/inspector',
}

function versionOf(referee: string, over: string): string {
  const manifest = readFileSync(path.join(import.meta.dirname, 'package.json'), 'utf8')
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> }
  const name = PACKAGES[referee] ?? `${referee}-${over.split(' ')[0]}`
  return dependencies[name]?.replace(/^npm:.*@/, '') ?? ''
}
