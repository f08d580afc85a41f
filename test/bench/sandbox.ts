import { createRequire } from 'node:module'
import { createSandbox } from '../../servers/tool-execution/sandbox/sandbox.ts'

/** A fresh isolate run with tools bound, through the pool, against isolated-vm alone in this process. */

const ivm: typeof import('isolated-vm') = createRequire(
  new URL('../../servers/tool-execution/sandbox/', import.meta.url),
)('isolated-vm')

async function bare(): Promise<void> {
  const isolate = new ivm.Isolate({ memoryLimit: 64 })
  const context = await isolate.createContext()
  const script = await isolate.compileScript('JSON.stringify({ sum: 1 + 1 })')
  await script.run(context)
  isolate.dispose()
}

async function measure(rounds: number, run: () => Promise<unknown>): Promise<{ p50: number; p95: number }> {
  for (let i = 0; i < 30; i++) await run()
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return { p50: times[Math.floor(rounds * 0.5)] ?? 0, p95: times[Math.floor(rounds * 0.95)] ?? 0 }
}

const log = { warn: () => {}, debug: () => {} }
const sandbox = createSandbox({ workers: 2, limits: { heap_mb: 64 }, log })
const request = { code: 'return { sum: input.a + 1 }', input: { a: 1 }, onCall: async () => null }
const withCall = { ...request, code: 'return await tools.data.get_record({ id: 1 })' }

const ms = (n: number): string => `${n.toFixed(2)} ms`
const alone = await measure(300, bare)
const pooled = await measure(300, () => sandbox.run(request))
const called = await measure(300, () => sandbox.run(withCall))
const started = performance.now()
await Promise.all(Array.from({ length: 200 }, () => sandbox.run(request)))
const perSecond = 200 / ((performance.now() - started) / 1000)
await sandbox.close()

console.log(`bare isolated-vm          p50 ${ms(alone.p50)}  p95 ${ms(alone.p95)}`)
console.log(
  `run through the pool      p50 ${ms(pooled.p50)}  p95 ${ms(pooled.p95)}  ${(pooled.p50 / alone.p50).toFixed(2)} x bare`,
)
console.log(
  `run with one call         p50 ${ms(called.p50)}  p95 ${ms(called.p95)}  ${(called.p50 / alone.p50).toFixed(2)} x bare`,
)
console.log(`200 runs at once, 2 processes: ${perSecond.toFixed(0)} runs/s`)
