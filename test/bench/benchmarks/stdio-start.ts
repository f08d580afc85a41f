import { spawn } from 'node:child_process'
import { underTest } from '../../e2e/under-test.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'
import { inTurn, median } from '../median.ts'

const STARTS = 5
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}
const CALL = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} }

/** From spawn to the first answers of the entry in .mcp.json while the platform runs; beside a server of the SDK with one tool. */
const stdioStart: Benchmark = {
  async run({ rounds, log, defer }): Promise<Measurement[]> {
    const platform = await underTest()
    defer(() => platform.dispose())
    log('starting a platform')
    const { code, stderr } = await platform.cli('up')
    if (code !== 0) throw new Error(`the platform does not start: ${stderr}`)
    const entry = ['tools/mcp.js', 'service-hub']
    const minimal = [new URL('../peers/minimal-server.ts', import.meta.url).pathname]
    const ms = await inTurn(rounds, {
      entry: () => startUp(entry, platform.env),
      minimal: () => startUp(minimal, platform.env),
    })
    const peer = { name: 'minimal SDK server', value: ms.minimal }
    return [
      {
        job: 'stdio cold start to initialize and tools/list',
        value: ms.entry,
        unit: 'ms',
        better: 'lower',
        peer,
        target: 250,
      },
    ]
  },
}

export default stdioStart

async function startUp(args: string[], env: Record<string, string>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < STARTS; i++) times.push(await oneStart(args, env))
  return median(times)
}

async function oneStart(args: string[], env: Record<string, string>): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`)
  const ms = await new Promise<number>((resolve, reject) => {
    let text = ''
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`${args.join(' ')} ended without an answer`)))
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const answers = text.split('\n').length - 1
      if (answers === 1 && !text.includes('"id":2')) {
        child.stdin.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}\n${JSON.stringify(CALL)}\n`)
      }
      if (text.includes('"id":2')) resolve(performance.now() - start)
    })
  })
  child.stdin.end()
  child.kill()
  await ended
  return ms
}
