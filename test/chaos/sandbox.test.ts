import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fromProc } from '../../servers/tool-execution/sandbox/process-usage.ts'

const FIXTURE = fileURLToPath(new URL('./fixtures/sandbox-parent.ts', import.meta.url))

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Sandbox processes of a parent, by what the kernel says. */
function sandboxesOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const ppid = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        return Number(ppid) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--no-node-snapshot')
      } catch {
        return false
      }
    })
}

/** The one that has used most CPU in the last moment: it has the spinning code. */
async function busiest(pids: number[]): Promise<number> {
  const before = new Map(pids.map((pid) => [pid, fromProc(pid)?.cpu_ms ?? 0]))
  await sleep(300)
  const used = pids.map((pid) => ({ pid, cpu: (fromProc(pid)?.cpu_ms ?? 0) - (before.get(pid) ?? 0) }))
  return used.sort((a, b) => b.cpu - a.cpu)[0]?.pid ?? 0
}

describe.runIf(process.platform === 'linux')('the parent is killed', () => {
  let parent: ChildProcess | undefined
  afterEach(() => {
    parent?.kill('SIGKILL')
  })

  test.each([
    ['while its processes wait', 'idle'],
    ['while code spins', 'while (true) {}'],
    ['while native code can not be interrupted', 'let x = 3n; while (true) x = x ** 2n'],
    ['while the program of the process itself is stuck parsing', 'typescript'],
  ])('%s: no process is left', async (_name, code) => {
    parent = spawn(process.execPath, [FIXTURE, code], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pids = await new Promise<number[]>((resolve) => {
      parent?.stdout?.once('data', (text: Buffer) => resolve(JSON.parse(text.toString())))
    })
    expect(pids.length).toBeGreaterThan(0)
    expect(pids.every(alive)).toBe(true)
    await sleep(300)
    parent.kill('SIGKILL')
    await expect.poll(() => pids.filter(alive), { timeout: 15_000 }).toEqual([])
  })
})

describe.runIf(process.platform === 'linux')('a sandbox process is killed in the middle of a call', () => {
  let tools: Opened
  beforeAll(async () => {
    tools = await open('tool-execution', { start: true })
  })

  test('pure code runs again, once, and the call has one result', async () => {
    const code = 'const end = Date.now() + 3000; while (Date.now() < end) {} return "done"'
    const running = tools.call('run_code', { code, idempotency_key: 'pure' })
    await sleep(500)
    process.kill(await busiest(sandboxesOf(process.pid)), 'SIGKILL')
    expect(await running).toMatchObject({ result: 'done', replayed: false })
    const { items } = await tools.call('list_invocations', { kind: 'code' })
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ status: 'succeeded', attempt: 1 })
  })

  test('code that gets its process killed each time fails after the second, alone', async () => {
    const spinning = tools.callError('run_code', { code: 'while (true) {}', limits: { timeout_ms: 20_000 } })
    const first = await busiest(sandboxesOf(process.pid))
    process.kill(first, 'SIGKILL')
    await sleep(700)
    const second = await busiest(sandboxesOf(process.pid))
    expect(second).not.toBe(first)
    process.kill(second, 'SIGKILL')
    expect(await spinning).toMatchObject({ code: 'UNAVAILABLE', number: 'E3020', retryable: true })
    expect((await tools.call('run_code', { code: 'return 1' })).result).toBe(1)
  })

  test('code with permissions does not run again by itself: its calls are on record', async () => {
    const code = 'await tools.tool_execution.run_code({ code: "return 1" }); while (true) {}'
    const permissions = { tools: ['tool-execution.run_code'] }
    const spinning = tools.callError('run_code', { code, permissions, limits: { timeout_ms: 20_000 } })
    await sleep(1_500)
    process.kill(await busiest(sandboxesOf(process.pid)), 'SIGKILL')
    const error = await spinning
    expect(error).toMatchObject({ number: 'E3020' })
    const { items } = await tools.call('list_invocations', { parent_invocation_id: error.details?.['invocation_id'] })
    expect(items).toMatchObject([{ status: 'succeeded', tool: 'tool-execution.run_code' }])
  })
})
