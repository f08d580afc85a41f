import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { isStoryPortalError } from '@story-portal/shared/errors'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { faults } from '../errors.ts'
import { createSandbox, type RunRequest, type RunResult } from './sandbox.ts'

const warnings: object[] = []
const log = { warn: (fields: object) => void warnings.push(fields), debug: () => {} }
const sandbox = createSandbox({ workers: 2, limits: { wall_ms: 10_000 }, log })
afterAll(() => sandbox.close())

async function result(request: RunRequest): Promise<unknown> {
  const run = await sandbox.run(request)
  if (!run.ok) throw run.error
  return run.result
}

function failure(run: RunResult) {
  if (run.ok) throw new Error(`expected a failure, got ${JSON.stringify(run.result)}`)
  return run.error
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('code gets its input, returns its result, and tells what it used', async () => {
  const run = await sandbox.run({ code: 'console.log("sum"); return input.a + input.b', input: { a: 1, b: 2 } })
  expect(run).toMatchObject({ ok: true, result: 3, logs: [{ level: 'log', message: 'sum' }] })
  expect(run.usage.wall_ms).toBeGreaterThan(0)
  expect(run.usage.cpu_ms).toBeGreaterThan(0)
  expect(run.usage.memory_bytes).toBeGreaterThan(100_000)
})

test('any JSON value comes back equal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), async (value) => {
      // A JSON text has no negative zero to give back.
      const expected = JSON.parse(JSON.stringify(value))
      expect(await result({ code: 'return input', input: value })).toEqual(expected)
    }),
    { numRuns: 150 },
  )
})

test('code is code and never closes its function, whatever its text', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('}', '{', ')', '(', ';', '`', '/', '*', '\n', 'a', '"', "'") }),
      async (text) => {
        const run = await sandbox.run({ code: text, limits: { wall_ms: 2_000 } })
        expect(run.ok ? 'ok' : failure(run).number).toMatch(/^(ok|E3001|E3002)$/)
      },
    ),
    { numRuns: 100 },
  )
})

test('an error that the host gave is reported as itself when the code does not catch it', async () => {
  const onCall = async () => {
    throw faults.noMatchingVersion({ tool: 't', range: '1.x', versions: '2.0.0' })
  }
  const error = failure(await sandbox.run({ code: 'await tools.data.get_record({})', onCall }))
  expect(error.number).toBe('E3043')
  expect(await result({ code: 'try { await tools.a.b() } catch (e) { return [e.code, e.number] }', onCall })).toEqual([
    'NOT_FOUND',
    'E3043',
  ])
})

test('what is thrown by mistake in the host reaches the code as INTERNAL, without its text', async () => {
  const onCall = () => Promise.reject(new Error('password=hunter2'))
  const run = await sandbox.run({
    code: 'try { await tools.a.b() } catch (e) { return { ...e, message: e.message } }',
    onCall,
  })
  expect(run).toMatchObject({ ok: true, result: { code: 'INTERNAL', number: 'E0008' } })
  expect(JSON.stringify(run)).not.toContain('hunter2')
})

test('without a grant every call is denied and names the permission', async () => {
  const error = failure(await sandbox.run({ code: 'return await tools.tool_execution.run_code({})' }))
  expect(error).toMatchObject({ number: 'E3030', code: 'DENIED' })
  expect(error.message).toContain('tool_execution.run_code')
})

test('many calls at a time are answered each with its own', async () => {
  const onCall = async ({ args }: { args: unknown }) => {
    await sleep(Math.random() * 20)
    return args
  }
  const code = 'return Promise.all(Array.from({ length: 50 }, (_, i) => tools.a.b({ i })))'
  expect(await result({ code, onCall })).toEqual(Array.from({ length: 50 }, (_, i) => ({ i })))
})

test('calls still open when the code has ended are aborted before the run is reported', async () => {
  let aborted = false
  const onCall = ({ signal }: { signal: AbortSignal }) =>
    new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => {
        aborted = true
        resolve()
      }),
    )
  expect(await result({ code: 'tools.a.b(); return 1', onCall })).toBe(1)
  expect(aborted).toBe(true)
})

test('a run killed from outside fails alone, and its process is replaced', async () => {
  const spinning = sandbox.run({ code: 'while (true) {}' })
  await expect.poll(() => sandbox.stats().busy_pids).toHaveLength(1)
  const [busy = 0] = sandbox.stats().busy_pids
  const killed = Promise.withResolvers<void>()
  const held = sandbox.run({ code: 'await tools.a.b(); return "held"', onCall: () => killed.promise })
  process.kill(busy, 'SIGKILL')
  expect(failure(await spinning)).toMatchObject({ number: 'E3020', code: 'UNAVAILABLE', retryable: true })
  killed.resolve()
  expect(await held).toMatchObject({ ok: true, result: 'held' })
  expect(await result({ code: 'return 1' })).toBe(1)
  expect(alive(busy)).toBe(false)
})

test('a cancelled run ends, also one that spins', async () => {
  const cancel = new AbortController()
  const run = sandbox.run({ code: 'while (true) {}', signal: cancel.signal })
  await expect.poll(() => sandbox.stats().busy_pids).toHaveLength(1)
  cancel.abort()
  expect(failure(await run).number).toBe('E0011')
  await expect(sandbox.run({ code: '1', signal: cancel.signal })).rejects.toMatchObject({ number: 'E0011' })
})

test('processes are replaced after their share of runs', async () => {
  const own = createSandbox({ workers: 1, recycleAfter: 2, log })
  const [first] = own.stats().pids
  for (let i = 0; i < 3; i++) expect(await own.run({ code: 'return 1' })).toMatchObject({ ok: true })
  expect(own.stats().pids).not.toContain(first)
  await own.close()
})

test('closing fails what runs and what waits, leaves no process and takes nothing new', async () => {
  const own = createSandbox({ workers: 1, log })
  const running = own.run({ code: 'while (true) {}' })
  const waiting = own.run({ code: 'return 1' })
  await expect.poll(() => own.stats().busy_pids).toHaveLength(1)
  const { pids } = own.stats()
  const ends = Promise.allSettled([running, waiting])
  await own.close()
  const [ran, waited] = await ends
  expect(ran.status === 'rejected' ? ran.reason.number : failure(ran.value).number).toBe('E3023')
  expect(waited).toMatchObject({ status: 'rejected', reason: { number: 'E3023' } })
  await expect(own.run({ code: 'return 1' })).rejects.toSatisfy(isStoryPortalError)
  expect(pids.filter(alive)).toEqual([])
})

test('nested runs never wait for the runs that called them', async () => {
  const nest = (depth: number): Promise<unknown> =>
    result({
      code: 'return [await tools.x.nest()]',
      depth,
      onCall: async () => (depth === 3 ? 'deepest' : nest(depth + 1)),
    })
  const all = await Promise.all(Array.from({ length: 6 }, () => nest(0)))
  expect(all).toEqual(Array(6).fill([[[['deepest']]]]))
  await expect(sandbox.run({ code: 'return 1', depth: 4 })).rejects.toMatchObject({ number: 'E3019' })
})

test('a syntax check runs nothing', async () => {
  expect(await sandbox.check({ code: 'while (true) {}' })).toMatchObject({ ok: true })
  const error = failure(await sandbox.check({ code: 'const a: string = ', language: 'typescript' }))
  expect(error).toMatchObject({ number: 'E3002', details: { line: 1 } })
})

test('when no process can be started, that is said', async () => {
  const { execPath } = process
  process.execPath = '/nonexistent/node'
  try {
    const own = createSandbox({ workers: 1, log })
    await expect(own.run({ code: 'return 1' })).rejects.toMatchObject({ number: 'E3024', code: 'UNAVAILABLE' })
    process.execPath = execPath
    expect(await own.run({ code: 'return 1' })).toMatchObject({ ok: true })
    await own.close()
    expect(warnings.length).toBeGreaterThan(0)
  } finally {
    process.execPath = execPath
  }
})

test('a process that writes garbage on its channel is killed, and only its run fails', async () => {
  const { wrapChannel } = await import('./child.ts')
  const killed = Promise.withResolvers<void>()
  const channel = new PassThrough()
  wrapChannel(channel, { head: 10, body: 10 }, () => {}, killed.resolve)
  channel.write(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))
  await expect(killed.promise).resolves.toBeUndefined()
})
