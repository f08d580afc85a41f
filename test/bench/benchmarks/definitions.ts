import { manifests } from '../../e2e/under-test.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'

/** Bytes of definitions that a client loads to reach every tool: the hub's alone; beside those of the whole suite. */
const definitions: Benchmark = {
  async run(): Promise<Measurement[]> {
    const bytes = (names?: string) =>
      manifests()
        .filter(({ name }) => names === undefined || name === names)
        .flatMap(({ tools }) => tools)
        .reduce((sum, tool) => sum + Buffer.byteLength(JSON.stringify(tool)), 0)
    const hub = bytes('service-hub') / 1_000
    const peer = { name: 'all servers loaded', value: bytes() / 1_000 }
    return [{ job: 'definitions a client loads', value: hub, unit: 'kB', better: 'lower', peer, target: 8 }]
  },
}

export default definitions
