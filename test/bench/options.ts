import { globSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

export interface Asked {
  names: string[]
  rounds: number
  json: boolean
  record: boolean
  compare: boolean
}

export const NAMES = globSync('benchmarks/*.ts', { cwd: import.meta.dirname })
  .map((file) => path.basename(file, '.ts'))
  .sort()

export const USAGE = `npm run bench -- [name ...] [--rounds N] [--json] [--record] [--compare]

  name       one or more of: ${NAMES.join(', ')}; default all
  --rounds   how often each side is measured, in turn; the median counts (default 5)
  --json     the results as JSON on stdout
  --record   also writes docs/benchmarks.json and docs/benchmarks.md
  --compare  fails when a ratio to a peer is more than 25 % worse than the recorded one`

/** What the command line asks for, or why it can't be understood; an empty `usage` is a request for help. */
export function askedFor(args: string[]): Asked | { usage: string } {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch {
    return { usage: `unknown option among: ${args.join(' ')}` }
  }
  const { values, positionals } = parsed
  if (values.help) return { usage: '' }
  const unknown = positionals.filter((name) => !NAMES.includes(name))
  if (unknown.length > 0) return { usage: `no benchmark is called ${unknown.join(', ')}` }
  const rounds = Number(values.rounds ?? 5)
  if (!Number.isInteger(rounds) || rounds < 1) return { usage: '--rounds takes a whole number from 1 on' }
  const { json = false, record = false, compare = false } = values
  return { names: positionals.length > 0 ? positionals : NAMES, rounds, json, record, compare }
}

function parse(args: string[]) {
  const flag = { type: 'boolean' } as const
  return parseArgs({
    args,
    allowPositionals: true,
    options: { rounds: { type: 'string' }, json: flag, record: flag, compare: flag, help: flag },
  })
}
