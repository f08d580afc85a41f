import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { markdownTable, replaceBlock } from '../../tools/gen/markdown.ts'
import type { MemoryResult } from './contexts/memory-server.ts'
import type { ContextsResult } from './contexts/run.ts'
import type { InvocationsResult } from './invocations/run.ts'
import type { Options } from './options.ts'
import type { ModeResult, Struck } from './run-mode.ts'

const DOCUMENT = fileURLToPath(new URL('../../docs/chaos.md', import.meta.url))
const MAX_WRONG = 40

export interface Result {
  seed: number
  options: Options
  machine: string
  /** Before and after, of one minute. */
  load: [number, number]
  modes: ModeResult[]
  passed: boolean
}

export function machine(): string {
  const [cpu] = os.cpus()
  return `${os.cpus().length} x ${cpu?.model ?? 'unknown'}, ${Math.round(os.totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`
}

/** For people: what was done, how fast it was well again, what is wrong. */
export function summary({ seed, modes, passed }: Result): string {
  const parts = modes.flatMap((mode) => [
    `\n${mode.mode} (${mode.seconds} s): ${figures(mode)}`,
    faultTable(mode),
    ...mode.left_out.map((line) => `left out: ${line}`),
    ...mode.slow.map(({ fault, what, healthy_ms }) => `slow: ${fault} (${what}) healthy after ${healthy_ms} ms`),
    ...mode.wrong.slice(0, MAX_WRONG).map((line) => `WRONG: ${line}`),
    ...(mode.wrong.length > MAX_WRONG ? [`and ${mode.wrong.length - MAX_WRONG} more`] : []),
  ])
  return [...parts, '', `${passed ? 'passed' : 'FAILED'}, seed ${seed}`].join('\n')
}

/** Writes the figures of this run between the marks of docs/chaos.md. */
export function record(result: Result): void {
  const { seed, modes, load, passed } = result
  const head = `Seed ${seed}, ${new Date().toISOString().slice(0, 10)}, ${result.machine}, load ${load.map((n) => n.toFixed(1)).join(' -> ')}: ${passed ? 'passed' : 'failed'}.`
  for (const mode of modes) {
    const wrong = mode.wrong.slice(0, MAX_WRONG).map((line) => `- wrong: ${line}`)
    const content = [
      head,
      '',
      `${mode.seconds} s; ${figures(mode)}.`,
      '',
      faultTable(mode),
      ...(wrong.length > 0 ? ['', ...wrong] : []),
    ]
    const text = readFileSync(DOCUMENT, 'utf8')
    writeFileSync(DOCUMENT, replaceBlock(text, `chaos-${mode.mode}`, content.join('\n'), 'docs/chaos.md'))
  }
}

function figures({ plans, effects, acknowledged, events, struck, slow, wrong }: ModeResult): string {
  return (
    `${struck.length} faults, ${plans} plans of 200 tasks, ${effects} effects at the receiver, ` +
    `${acknowledged} acknowledged writes, ${events} events; ${slow.length} times healthy after more than 5 s, ${wrong.length} wrong`
  )
}

function faultTable({ struck }: ModeResult): string {
  const names = [...new Set(struck.map(({ fault }) => fault))].sort()
  const rows = names.map((name) =>
    row(
      name,
      struck.filter(({ fault }) => fault === name),
    ),
  )
  return markdownTable(
    ['Fault', 'Times', 'Healthy after, median', 'p95', 'Worst', 'Over 5 s'],
    [...rows, row('all', struck)],
  )
}

function row(name: string, struck: readonly Struck[]): string[] {
  const times = struck.map(({ healthy_ms }) => healthy_ms).sort((a, b) => a - b)
  const at = (share: number) => `${times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0} ms`
  return [name, String(times.length), at(0.5), at(0.95), at(1), String(times.filter((ms) => ms > 5_000).length)]
}

/** Of the exactly-once run: what was called, where it was killed, what is wrong. */
export function invocationsSummary(result: InvocationsResult): string {
  const { seed, seconds, keys, calls, effects, kills, unknown, undone, wrong } = result
  return [
    `${keys} keys, called ${calls} times over two processes in ${seconds} s, ${undone} undone; ${effects} effects at the receiver; ` +
      `${unknown} outcomes unknown, all of the tool that can not be asked; ${wrong.length} wrong`,
    '',
    markdownTable(
      ['Killed', 'Times'],
      Object.entries(kills).map(([point, times]) => [point, String(times)]),
    ),
    ...wrong.slice(0, MAX_WRONG).map((line) => `- wrong: ${line}`),
    '',
    `${wrong.length === 0 ? 'passed' : 'FAILED'}, seed ${seed}`,
  ].join('\n')
}

/** What was kept of what was acknowledged, here and by a server that keeps memories in a file. */
export function contextsSummary(ours: ContextsResult, peer: MemoryResult): string {
  const { seed, seconds, acknowledged, versions, kills, wrong } = ours
  return [
    markdownTable(
      ['', 'Acknowledged', 'There at the end', 'Twice'],
      [
        ['Story Portal', String(acknowledged), wrong.length === 0 ? String(acknowledged) : 'see below', '0'],
        [
          'server-memory',
          String(peer.acknowledged),
          peer.readable ? String(peer.kept) : 'none: its file is not readable',
          String(peer.twice),
        ],
      ],
    ),
    '',
    `${versions} versions, ${kills} kills of everything, ${seconds} s.`,
    ...wrong.slice(0, MAX_WRONG).map((line) => `- wrong: ${line}`),
    '',
    `${wrong.length === 0 ? 'passed' : 'FAILED'}, seed ${seed}`,
  ].join('\n')
}

/** Writes what a run of one kind has shown between its marks in docs/chaos.md. */
export function recordBlock(name: string, seed: number, text: string): void {
  const head = `Seed ${seed}, ${new Date().toISOString().slice(0, 10)}, ${machine()}.`
  const document = readFileSync(DOCUMENT, 'utf8')
  writeFileSync(DOCUMENT, replaceBlock(document, name, `${head}\n\n${text}`, 'docs/chaos.md'))
}
