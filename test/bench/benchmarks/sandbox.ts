import { createRequire } from 'node:module'
import { createSandbox } from '../../../servers/tool-execution/sandbox/sandbox.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'
import { inTurn, median, quantile } from '../median.ts'
import { quickjsRun } from '../peers/quickjs.ts'

const ivm: typeof import('isolated-vm') = createRequire(
  new URL('../../../servers/tool-execution/sandbox/', import.meta.url),
)('isolated-vm')

const RUNS = 150
const REQUEST = { code: 'return { sum: input.a + 1 }', input: { a: 1 }, onCall: async () => null }
const WITH_CALL = { ...REQUEST, code: 'return await tools.data.get_record({ id: 1 })' }

/** A fresh isolate through the pool of processes, with and without one call out of it; beside isolated-vm, and QuickJS as WebAssembly, alone in this process. */
const sandbox: Benchmark = {
  async run({ rounds, defer }): Promise<Measurement[]> {
    const log = { warn: () => {}, debug: () => {} }
    const pool = createSandbox({ workers: 2, limits: { heap_mb: 64 }, log })
    defer(() => pool.close())
    const quickjs = await quickjsRun()
    await milliseconds(() => pool.run(REQUEST))
    const all = { bare: [] as number[], quickjs: [] as number[], pool: [] as number[], call: [] as number[] }
    const keep = (side: keyof typeof all, run: () => Promise<unknown>) => async () => {
      const times = await milliseconds(run)
      all[side].push(...times)
      return median(times)
    }
    const p50 = await inTurn(rounds, {
      bare: keep('bare', bare),
      quickjs: keep('quickjs', quickjs),
      pool: keep('pool', () => pool.run(REQUEST)),
      call: keep('call', () => pool.run(WITH_CALL)),
    })
    const p99 = {
      bare: quantile(all.bare, 0.99),
      quickjs: quantile(all.quickjs, 0.99),
      pool: quantile(all.pool, 0.99),
    }
    const peer = (value: number) => ({ name: 'isolated-vm in process', value })
    const wasm = (value: number) => ({ name: 'quickjs-emscripten in process', value })
    const row = { unit: 'ms', better: 'lower' } as const
    return [
      { job: 'sandbox run, p50', value: p50.pool, ...row, target: 2 * p50.bare, peer: peer(p50.bare) },
      { job: 'sandbox run, p99', value: p99.pool, ...row, peer: peer(p99.bare) },
      { job: 'sandbox run, p50, beside QuickJS', value: p50.pool, ...row, peer: wasm(p50.quickjs) },
      { job: 'sandbox run, p99, beside QuickJS', value: p99.pool, ...row, peer: wasm(p99.quickjs) },
      { job: 'sandbox run with one tool call, p50', value: p50.call, ...row, peer: peer(p50.bare) },
    ]
  },
}

export default sandbox

async function bare(): Promise<void> {
  const isolate = new ivm.Isolate({ memoryLimit: 64 })
  const context = await isolate.createContext()
  const script = await isolate.compileScript('JSON.stringify({ sum: 1 + 1 })')
  await script.run(context)
  isolate.dispose()
}

async function milliseconds(run: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  return times
}
