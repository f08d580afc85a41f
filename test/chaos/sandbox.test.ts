import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sandboxOf } from '../../servers/tool-execution/sandbox-of-host.ts'

const FIXTURE = fileURLToPath(new URL('./fixtures/sandbox-parent.ts', import.meta.url))

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
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

describe('a sandbox process is killed in the middle of a call', () => {
  let tools: Opened
  beforeAll(async () => {
    tools = await open('tool-execution', { start: true })
  })

  /** The process that runs something now, and not the one that did before. */
  async function busy(before = 0): Promise<number> {
    const pids = () => sandboxOf(tools.host).stats().busy_pids
    await expect.poll(() => pids().some((pid) => pid !== before), { timeout: 20_000 }).toBe(true)
    return pids().find((pid) => pid !== before) ?? 0
  }

  test('pure code runs again, once, and the call has one result', async () => {
    const code = 'const end = Date.now() + 2000; while (Date.now() < end) {} return "done"'
    const running = tools.call('run_code', { code, idempotency_key: 'pure' })
    process.kill(await busy(), 'SIGKILL')
    expect(await running).toMatchObject({ result: 'done', replayed: false })
    const { items } = await tools.call('list_invocations', { kind: 'code' })
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ status: 'succeeded', attempt: 1 })
  })

  test('code that gets its process killed each time fails after the second, alone', async () => {
    const spinning = tools.callError('run_code', { code: 'while (true) {}' })
    const first = await busy()
    process.kill(first, 'SIGKILL')
    process.kill(await busy(first), 'SIGKILL')
    expect(await spinning).toMatchObject({ code: 'UNAVAILABLE', number: 'E3020', retryable: true })
    expect((await tools.call('run_code', { code: 'return 1' })).result).toBe(1)
  })

  test('code with permissions runs again on what its calls have answered', async () => {
    const code =
      'const { result } = await tools.tool_execution.run_code({ code: "return Math.random()" }); while (Date.now() < input) {} return result'
    const permissions = { tools: ['tool-execution.run_code'] }
    const running = tools.call('run_code', { code, permissions, input: Date.now() + 3_000 })
    const calls = async () => (await tools.call('list_invocations', { kind: 'server_tool', status: 'succeeded' })).items
    await expect.poll(calls, { timeout: 20_000 }).toHaveLength(1)
    process.kill(await busy(), 'SIGKILL')
    const { invocation_id, result } = await running
    const { items } = await tools.call('list_invocations', { parent_invocation_id: invocation_id })
    expect(items).toMatchObject([{ status: 'succeeded', tool: 'tool-execution.run_code' }])
    const { invocation } = await tools.call('get_invocation', { invocation_id: items[0].id })
    expect(invocation.output.result).toBe(result)
  })

  test('code with permissions that gets its process killed each time fails after the second', async () => {
    const code = 'await tools.tool_execution.run_code({ code: "return 1" }); while (true) {}'
    const spinning = tools.callError('run_code', { code, permissions: { tools: ['tool-execution.run_code'] } })
    const first = await busy()
    const calls = async () => (await tools.call('list_invocations', { kind: 'server_tool', status: 'succeeded' })).items
    await expect.poll(calls, { timeout: 20_000 }).toHaveLength(2)
    process.kill(first, 'SIGKILL')
    process.kill(await busy(first), 'SIGKILL')
    const error = await spinning
    expect(error).toMatchObject({ number: 'E3020' })
    const { items } = await tools.call('list_invocations', { parent_invocation_id: error.details?.['invocation_id'] })
    expect(items).toMatchObject([{ status: 'succeeded', tool: 'tool-execution.run_code' }])
  })
})
