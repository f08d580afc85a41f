import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { plainEnv, run } from '../e2e/under-test.ts'
import { bearerProxy } from './bearer-proxy.ts'
import { type Row, type Wish, wanted } from './row.ts'

/** A server as the conformance tool sees it; it has no way to send a token itself. */
export interface Judged {
  name: string
  port: number
  token: string
  /** Whose file in baselines/ holds what is expected to fail. */
  baseline: 'servers' | 'prompts' | 'fixture'
}

/** Each release of the tool with the sets it knows; the sets of 0.2 are frozen per revision of the protocol. */
const SUITES = [
  { over: '0.1 active', name: '0.1-active', package: 'conformance-0.1', args: [] },
  {
    over: '0.2 2025-11-25',
    name: '0.2-2025-11-25',
    package: 'conformance-0.2',
    args: ['--requirements', '2025-11-25'],
  },
  {
    over: '0.2 2026-07-28',
    name: '0.2-2026-07-28',
    package: 'conformance-0.2',
    args: ['--requirements', '2026-07-28'],
  },
]

/** Runs every suite against every server; what fails must stand in its baseline, and what stands there must fail. */
export async function judgeConformance(judged: readonly Judged[], wish: Wish): Promise<Row[]> {
  const rows: Row[] = []
  if (!wanted(wish.referees, 'conformance')) return rows
  for (const server of judged.filter(({ name }) => wanted(wish.servers, name))) {
    const proxy = await bearerProxy(server.port, server.token)
    try {
      for (const suite of SUITES) rows.push(await judgeSuite(server, suite, proxy.port))
    } finally {
      await proxy.close()
    }
  }
  return rows
}

async function judgeSuite(server: Judged, suite: (typeof SUITES)[number], port: number): Promise<Row> {
  const baseline = path.join(import.meta.dirname, 'baselines', `${server.baseline}-${suite.name}.yml`)
  const output = mkdtempSync(path.join(os.tmpdir(), 'story-portal-conformance-'))
  const bin = path.join(import.meta.dirname, 'node_modules', suite.package, 'dist/index.js')
  const args = [
    bin,
    'server',
    '--url',
    `http://127.0.0.1:${port}/mcp`,
    '-o',
    output,
    ...suite.args,
    '--expected-failures',
    baseline,
  ]
  const { code, stdout, stderr } = await run(args, plainEnv())
  rmSync(output, { recursive: true, force: true })
  return {
    referee: 'conformance',
    server: server.name,
    over: suite.over,
    ...verdict(code, stdout + stderr, expectedFailures(baseline)),
  }
}

/**
 * Reads the summary: one line per scenario, `✓ name: 3 passed, 0 failed`, then what differs from the baseline. A scenario that
 * only warns has its tick and counts as failed all the same, which is the tool's judgement.
 */
function verdict(code: number | null, text: string, expected: ReadonlySet<string>) {
  const summary = stripVTControlCharacters(text.slice(text.lastIndexOf('=== SUMMARY ===')))
  const scenarios = [...summary.matchAll(/^([✓✗]) ([\w-]+): \d+ passed, \d+ failed/gm)]
  const passed = scenarios.filter(([, mark, name = '']) => mark === '✓' && !expected.has(name))
  // The tool lets what its set does not score (the tasks extension) fail unlisted; the baseline here is exact.
  const failed = scenarios.filter(([, mark]) => mark === '✗').map(([, , name = '']) => name)
  const unexpected = new Set([
    ...failed.filter((name) => !expected.has(name)),
    ...listed(summary, 'Unexpected failures'),
  ])
  const faults = [
    ...[...unexpected].map((name) => `${name} fails and is not in the baseline`),
    ...listed(summary, 'Stale baseline').map((name) => `${name} passes: the baseline is stale`),
  ]
  if (scenarios.length === 0) faults.push(`the tool ran no scenario: ${text.trim().slice(-500)}`)
  else if (code !== 0 && faults.length === 0) faults.push(`exit code ${code}: ${summary.trim().slice(-500)}`)
  return { figures: `${passed.length} of ${scenarios.length} passed`, faults }
}

/** The names below a heading, up to the next empty line. */
function listed(summary: string, heading: string): string[] {
  const part = new RegExp(`^${heading}.*\n((?: +\\S.*\n)*)`, 'm').exec(summary)?.[1] ?? ''
  return [...part.matchAll(/^ +\S (?<name>[\w-]+)/gm)].map(([, name = '']) => name)
}

function expectedFailures(file: string): Set<string> {
  return new Set([...readFileSync(file, 'utf8').matchAll(/^\s+- ([\w-]+)/gm)].map(([, name = '']) => name))
}
