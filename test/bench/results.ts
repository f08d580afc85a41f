import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { markdownTable } from '../../tools/gen/markdown.ts'
import type { Measurement } from './benchmark.ts'
import type { Machine } from './machine.ts'
import { cells, HEADINGS } from './table.ts'

export interface Results {
  measured_at: string
  machine: Machine
  /** By benchmark. */
  measurements: Record<string, Measurement[]>
}

/** The recorded run, that `--compare` looks at. */
export const RESULTS = fileURLToPath(new URL('../../docs/benchmarks.json', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))

export async function writeDocument(results: Results): Promise<void> {
  const { machine } = results
  const rows = Object.values(results.measurements).flat().map(cells)
  const text = [
    '# Benchmarks',
    '',
    'Made by `npm run bench -- --record`; do not edit. Each figure stands beside a peer, or beside the floor under us, measured in the same',
    'run and in turn with it; medians. Compare ratios: they move less with the machine than the figures do.',
    '',
    `Measured ${results.measured_at} on ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB, ${machine.system}, Node ${machine.node}; load when the run began ${machine.load_at_start}.`,
    '',
    markdownTable(HEADINGS, rows),
    '',
  ].join('\n')
  writeFileSync(DOCUMENT, text)
}
