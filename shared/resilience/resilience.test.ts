import { expect, test, vi } from 'vitest'
import { errors } from '../errors/index.ts'
import { createResilience } from './index.ts'

const fast = { backoff_ms: 1, open_ms: 30, failures: 3 }
const broken = () => Promise.reject(new Error('ECONNREFUSED'))

test('a repeatable call is tried again, another is not', async () => {
  const policy = createResilience({ server: fast }).policy('server:a')
  let tries = 0
  const second = async () => {
    tries += 1
    if (tries === 1) throw errors.unavailable({ what: 'it' })
    return tries
  }
  expect(await policy.execute(second, { repeatable: true })).toBe(2)
  tries = 0
  await expect(policy.execute(second)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(tries).toBe(1)
})

test('a refusal is handed through at once and does not count against the dependency', async () => {
  const policy = createResilience({ server: fast }).policy('server:a')
  let tries = 0
  const refused = async () => {
    tries += 1
    throw errors.notFound({ kind: 'plan', id: 'pln_x' })
  }
  for (let i = 0; i < 10; i++) {
    await expect(policy.execute(refused, { repeatable: true })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }
  expect(tries).toBe(10)
  expect(policy.state()).toMatchObject({ circuit: 'closed', calls: 10, failures: 0 })
})

test('failures open the circuit for this dependency alone; it closes when a later call succeeds', async () => {
  const resilience = createResilience({ server: fast })
  const policy = resilience.policy('server:a')
  expect(policy).toBe(resilience.policy('server:a'))
  for (let i = 0; i < 3; i++) await expect(policy.execute(broken)).rejects.toThrow('ECONNREFUSED')
  let asked = 0
  const working = async () => {
    asked += 1
    return 'ok'
  }
  await expect(policy.execute(working)).rejects.toMatchObject({ number: 'E0851', retry_after_ms: 30 })
  expect(asked).toBe(0)
  expect(await resilience.policy('server:b').execute(working)).toBe('ok')
  expect(resilience.states().map((state) => [state.name, state.circuit])).toEqual([
    ['server:a', 'open'],
    ['server:b', 'closed'],
  ])
  await expect.poll(() => policy.execute(working).catch(() => 'still open'), { timeout: 10_000 }).toBe('ok')
  expect(policy.state()).toMatchObject({ circuit: 'closed', opened_at: expect.stringMatching(/Z$/) })
})

test('a circuit that opened while the clock was an hour ahead closes in time after it was set right', async () => {
  const policy = createResilience({ server: fast }).policy('server:a')
  const ahead = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000)
  for (let i = 0; i < 3; i++) await expect(policy.execute(broken)).rejects.toThrow('ECONNREFUSED')
  ahead.mockRestore()
  const working = async () => 'ok'
  await expect.poll(() => policy.execute(working).catch(() => 'still open'), { timeout: 10_000 }).toBe('ok')
})

test('a first call after an outage that takes long holds no other call up', async () => {
  const policy = createResilience({ server: fast }).policy('server:a')
  for (let i = 0; i < 3; i++) await expect(policy.execute(broken)).rejects.toThrow('ECONNREFUSED')
  const { promise, resolve } = Promise.withResolvers<string>()
  let long: Promise<string> | undefined
  const waiting = () => {
    long = promise
    return promise
  }
  const send = () => {
    policy.execute(waiting).catch(() => undefined)
    return long !== undefined
  }
  await expect.poll(send, { timeout: 10_000 }).toBe(true)
  expect(await policy.execute(async () => 'ok')).toBe('ok')
  expect(policy.state().circuit).toBe('closed')
  resolve('late')
})

test('a call that never answers ends with a coded error, its signal aborted', async () => {
  const policy = createResilience({ server: fast }).policy('server:a')
  let aborted = false
  const hanging = (signal: AbortSignal) =>
    new Promise<never>(() => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
    })
  await expect(policy.execute(hanging, { timeout_ms: 20 })).rejects.toMatchObject({ number: 'E0017' })
  expect(aborted).toBe(true)
  expect(policy.state()).toMatchObject({ running: 0, failures: 1 })
})

test('a caller who leaves frees the place and blames nobody', async () => {
  const policy = createResilience({ server: fast }).policy('server:a')
  const left = new AbortController()
  const call = policy.execute(() => new Promise(() => {}), { signal: left.signal })
  left.abort()
  await expect(call).rejects.toMatchObject({ number: 'E0011' })
  await expect(policy.execute(async () => 1, { signal: left.signal })).rejects.toMatchObject({ number: 'E0011' })
  expect(policy.state()).toMatchObject({ running: 0, failures: 0, circuit: 'closed' })
})

test('more calls than places wait, more than may wait are refused', async () => {
  const policy = createResilience({ 'server:a': { ...fast, concurrency: 2, queue: 1 } }).policy('server:a')
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const calls = [1, 2, 3].map((n) => policy.execute(() => gate.then(() => n)))
  await expect.poll(() => policy.state()).toMatchObject({ running: 2, waiting: 1 })
  await expect(policy.execute(async () => 4)).rejects.toMatchObject({ number: 'E0852' })
  open()
  expect(await Promise.all(calls)).toEqual([1, 2, 3])
  expect(policy.state()).toMatchObject({ running: 0, waiting: 0, circuit: 'closed', failures: 0 })
})
