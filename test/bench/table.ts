import { type Measurement, ratioOf, reached } from './benchmark.ts'
import type { Results } from './results.ts'

export const HEADINGS = ['Job', 'Result', 'Peer', 'Ratio', 'Target', 'Reached', 'Note']

export function cells(measurement: Measurement): string[] {
  const { job, value, unit, peer, target, better, note } = measurement
  const ratio = ratioOf(measurement)
  const met = reached(measurement)
  return [
    job,
    `${figure(value)} ${unit}`,
    peer === undefined ? '' : `${peer.name}: ${figure(peer.value)} ${unit}`,
    ratio === undefined ? '' : `${ratio.toFixed(2)} x`,
    target === undefined ? '' : `${better === 'lower' ? '<=' : '>='} ${figure(target)} ${unit}`,
    met === undefined ? '' : met ? 'yes' : 'no',
    note ?? '',
  ]
}

/** Three digits that count, thousands apart. */
function figure(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: 0 })
}

export function table({ machine, measurements }: Results): string {
  const rows = [HEADINGS, ...Object.values(measurements).flat().map(cells)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const where = `${machine.processor}, ${machine.cores} cores, Node ${machine.node}, load at start ${machine.load_at_start}`
  return [where, '', ...lines].join('\n')
}
