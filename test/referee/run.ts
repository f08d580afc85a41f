/** `npm run referee`: other people's clients and checkers judge every server of a platform that is started for them. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { replaceBlock } from '../../tools/gen/markdown.ts'
import { serveFixture } from '../conformance/serve-fixture.ts'
import { manifests, root } from '../e2e/under-test.ts'
import { installPackage } from '../install-package.ts'
import { clientNames, judgeClients } from './judge-clients.ts'
import { judgeConformance } from './judge-conformance.ts'
import { judgeInspector } from './judge-inspector.ts'
import { startPlatform } from './platform.ts'
import { faultLines, verdictTable } from './report.ts'
import type { Row, Wish } from './row.ts'

// Some clients log to the console, and stdout is the report's.
globalThis.console = new console.Console(process.stderr)

const DOCUMENT = path.join(root, 'docs/referees.md')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
})

function wishOf(names: string[]): Wish {
  const referees = new Set([...clientNames(), 'inspector', 'conformance'])
  const servers = new Set([...manifests().map(({ name }) => name), 'fixture'])
  const unknown = names.filter((name) => !referees.has(name) && !servers.has(name))
  if (unknown.length > 0) {
    process.stderr.write(`Unknown: ${unknown.join(', ')}. Known: ${[...referees, ...servers].join(', ')}.\n`)
    process.exit(2)
  }
  return {
    referees: new Set(names.filter((name) => referees.has(name))),
    servers: new Set(names.filter((name) => servers.has(name))),
  }
}

async function judgeAll(wish: Wish): Promise<Row[]> {
  const fixture = await serveFixture()
  const platform = await startPlatform()
  try {
    const judged = platform.servers.map((server) => ({
      name: server.name,
      port: platform.port(server),
      token: platform.token,
      // Those that have resources and prompts pass more.
      baseline: (server.prompts ?? []).length > 0 ? ('prompts' as const) : ('servers' as const),
    }))
    return [
      ...(await judgeClients(platform, wish)),
      ...(await judgeInspector(platform, wish)),
      ...(await judgeConformance([...judged, { name: 'fixture', baseline: 'fixture', ...fixture }], wish)),
    ]
  } finally {
    await fixture.close()
    await platform.close()
  }
}

const wish = wishOf(positionals)
await installPackage(import.meta.dirname, (line) => process.stderr.write(`${line}\n`))
const rows = await judgeAll(wish)
const faults = faultLines(rows)
if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
else process.stdout.write(`${[verdictTable(rows), ...faults].join('\n')}\n`)
if (values.write) {
  const text = readFileSync(DOCUMENT, 'utf8')
  writeFileSync(DOCUMENT, replaceBlock(text, 'referees', [verdictTable(rows), ...faults].join('\n'), DOCUMENT))
}
process.exitCode = faults.length === 0 && rows.length > 0 ? 0 : 1
