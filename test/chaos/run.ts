// `npm run chaos`: platforms under load, harmed at random by a seed, and looked at from outside. docs/chaos.md explains it.
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { runMemoryServer } from './contexts/memory-server.ts'
import { runContexts } from './contexts/run.ts'
import { runInvocations } from './invocations/run.ts'
import { canMount, inOwnMounts, ownDisk } from './mount.ts'
import { type Options, parseOptions, USAGE } from './options.ts'
import { faults } from './registry.ts'
import { contextsSummary, invocationsSummary, machine, type Result, record, recordBlock, summary } from './report.ts'
import { type ModeResult, runMode } from './run-mode.ts'

const USAGE_CODE = 2

async function main(): Promise<number> {
  const args = process.argv.slice(2)
  if (args.includes('--help')) {
    process.stdout.write(USAGE)
    return 0
  }
  const options = parseOptions(args)
  const known = (await faults()).map(({ name }) => name)
  const strange = options.faults.find((name) => !known.includes(name))
  if (strange !== undefined) throw new Error(`--faults: there is no ${strange}; there are ${known.join(', ')}`)
  if (options.invocations > 0) return exactlyOnce(options)
  if (options.sessions > 0) return contexts(options)
  if (ownDisk() === undefined && canMount()) {
    return inOwnMounts(fileURLToPath(import.meta.url), [...args, `--seed=${options.seed}`])
  }
  return run(options)
}

async function exactlyOnce(options: Options): Promise<number> {
  const { seed, invocations, pointKills, json } = options
  const result = await runInvocations({ seed, invocations, killsPerPoint: pointKills, log })
  const text = invocationsSummary(result)
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${text}\n`)
  if (options.record) recordBlock('chaos-invocations', seed, text)
  return result.wrong.length === 0 ? 0 : 1
}

async function contexts(options: Options): Promise<number> {
  const { seed, sessions, saves, kills, json } = options
  const ours = await runContexts({ seed, sessions, saves, kills, log })
  const peer = await runMemoryServer({ sessions, saves, kills })
  const text = contextsSummary(ours, peer)
  process.stdout.write(json ? `${JSON.stringify({ ours, peer }, null, 2)}\n` : `${text}\n`)
  if (options.record) recordBlock('chaos-contexts', seed, text)
  return ours.wrong.length === 0 ? 0 : 1
}

const log = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)

async function run(options: Options): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const before = os.loadavg()[0] ?? 0
  const modes: ModeResult[] = []
  for (const mode of options.modes) {
    if (stop.signal.aborted) break
    modes.push(await runMode(mode, options, { disk: ownDisk(), log, signal: stop.signal }))
  }
  const result: Result = {
    seed: options.seed,
    options,
    machine: machine(),
    load: [before, os.loadavg()[0] ?? 0],
    modes,
    passed: !stop.signal.aborted && modes.every(({ wrong }) => wrong.length === 0),
  }
  process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `${summary(result)}\n`)
  if (options.record) record(result)
  return result.passed ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`chaos: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = USAGE_CODE
}
