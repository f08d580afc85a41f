import { readFileSync, writeFileSync } from 'node:fs'
import { styleText } from 'node:util'
import { startPostgres } from '../../shared/testing/postgres.ts'
import { installPackage } from '../install-package.ts'
import type { BenchmarkContext, Measurement } from './benchmark.ts'
import { compare } from './compare.ts'
import { machine } from './machine.ts'
import { askedFor, USAGE } from './options.ts'
import { RESULTS, type Results, writeDocument } from './results.ts'
import { table } from './table.ts'

/** `npm run bench`: runs the files of benchmarks/, prints each figure beside its peer's of the same run. */

const asked = askedFor(process.argv.slice(2))
if ('usage' in asked) {
  process.stderr.write(`${asked.usage === '' ? '' : `${asked.usage}\n\n`}${USAGE}\n`)
  process.exit(asked.usage === '' ? 0 : 2)
}

const say = (line: string) => process.stderr.write(`bench: ${line}\n`)
const ends: (() => Promise<void>)[] = []
let postgres: Promise<string> | undefined
const context: BenchmarkContext = {
  rounds: asked.rounds,
  log: say,
  postgres() {
    postgres ??= startPostgres({ own: true, log: say }).then((server) => {
      ends.unshift(() => server.stop())
      return server.url
    })
    return postgres
  },
  defer: (end) => void ends.push(end),
}

const host = machine()
if (host.load_at_start > 1) say(`the machine is busy (load ${host.load_at_start}): trust the ratios only`)
await installPackage(import.meta.dirname, say)
const measurements: Record<string, Measurement[]> = {}
let failed = false
for (const name of asked.names) {
  say(`${name} ...`)
  try {
    const { default: benchmark } = await import(new URL(`./benchmarks/${name}.ts`, import.meta.url).href)
    measurements[name] = await benchmark.run(context)
  } catch (error) {
    failed = true
    say(`${name} failed: ${error instanceof Error ? error.stack : String(error)}`)
  }
  for (const end of ends.splice(postgres === undefined ? 0 : 1).reverse()) await end()
}
for (const end of ends) await end()

const results: Results = { measured_at: new Date().toISOString().slice(0, 10), machine: host, measurements }
process.stdout.write(asked.json ? `${JSON.stringify(results, null, 2)}\n` : `${table(results)}\n`)
if (asked.record && !failed) {
  const before = JSON.parse(readFileSync(RESULTS, 'utf8').trim() || '{}') as Partial<Results>
  const all = { ...results, measurements: { ...before.measurements, ...measurements } }
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`)
  await writeDocument(all)
  say('recorded in docs/benchmarks.json and docs/benchmarks.md')
}
if (asked.compare) {
  const worse = compare(JSON.parse(readFileSync(RESULTS, 'utf8')), results)
  for (const line of worse) say(styleText('red', line, { stream: process.stderr }))
  if (worse.length > 0) failed = true
  else say('no ratio to a peer is more than 25 % worse than the recorded one')
}
process.exit(failed ? 1 : 0)
