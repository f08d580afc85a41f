import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localUser } from '../auth/index.ts'
import { startFaultProxy } from '../testing/fault-proxy.ts'
import { fixtureServer, open, type Served, serve, silentLog } from '../testing/index.ts'
import { serverManifest } from './manifest.ts'
import { serveHttp } from './on-demand.ts'
import { remoteServers } from './remote.ts'
import type { Credentials } from './remote-request.ts'

const KEY = 'service-key-of-at-least-32-characters'
const fixture = fixtureServer()
const manifest = serverManifest(fixture)
let served: Served

beforeAll(async () => {
  served = await serve(fixture, { config: { serviceKey: KEY } })
})
afterAll(() => served.close())

function remote(credentials: Credentials = { serviceKey: KEY }, url = served.http.url, attempts = 4) {
  const config = { host: '127.0.0.1', portBase: 1, urls: { fixture: url } }
  return remoteServers({ config, manifests: [manifest], credentials, log: silentLog, attempts })
}

const caller = () => ({ ...served.caller, subject: 'user:ann', roles: ['member'], run_id: 'run_1' })
const as = (options = {}) => ({ caller: caller(), ...options })

test('a call arrives with its caller, correlation id and progress, and its result comes back', async () => {
  const seen: number[] = []
  const onProgress = ({ progress }: { progress: number }) => seen.push(progress)
  const correlation_id = 'cor_from_here'
  expect(await remote().call('fixture', 'echo_value', { value: [1, null] }, as({ correlation_id }))).toMatchObject({
    value: [1, null],
    subject: 'user:ann',
    correlation_id,
  })
  expect(await remote().call('fixture', 'run_slowly', { steps: 3 }, as({ onProgress }))).toEqual({ steps: 3 })
  expect(seen).toEqual([1, 2, 3])
})

test('an error arrives unchanged and is not tried again', async () => {
  const before = await calls('throw_coded')
  await expect(remote().call('fixture', 'throw_coded', { id: 'n1' }, as())).rejects.toMatchObject({
    number: 'E0004',
    code: 'NOT_FOUND',
    details: { looked_in: 'the box' },
  })
  await expect(remote().call('fixture', 'nothing_here', {}, as())).rejects.toMatchObject({ number: 'E0009' })
  await expect(remote().call('nowhere', 'x', {}, as())).rejects.toMatchObject({ number: 'E0010' })
  expect((await calls('throw_coded')) - before).toBe(1)
})

async function calls(tool: string): Promise<number> {
  const text = await served.host.metrics.text()
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('story_portal_tool_calls_total') && line.includes(`tool="${tool}"`))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

test('the bearer token makes the local user, whatever the caller claims; a wrong key or token opens nothing', async () => {
  const local = {
    ...localUser({ surface: 'stdio', name: 'claude-code', cwd: '/tmp' }),
    subject: 'user:root',
    tenant_id: 'other',
  }
  const answer = await remote({ token: served.token }).call('fixture', 'echo_value', { value: 1 }, { caller: local })
  expect(answer).toMatchObject({ subject: 'user:local', client: 'claude-code' })
  for (const wrong of [{ token: 'nope' }, { serviceKey: 'x'.repeat(32) }]) {
    await expect(remote(wrong).call('fixture', 'echo_value', { value: 1 }, as())).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    })
  }
})

test('roles travel in the envelope and are checked over there', async () => {
  const reader = { caller: { ...caller(), roles: ['reader'] } }
  await expect(remote().call('fixture', 'add_note', { title: 'x' }, reader)).rejects.toMatchObject({ code: 'DENIED' })
})

test('cancelling here cancels there', async () => {
  const cancel = new AbortController()
  const running = remote().call(
    'fixture',
    'run_slowly',
    { steps: 1000, step_ms: 20 },
    as({ signal: cancel.signal, onProgress: () => cancel.abort() }),
  )
  await expect(running).rejects.toMatchObject({ number: 'E0011' })
  await expect
    .poll(async () => /calls_in_flight\{server="fixture"\} (\d+)/.exec(await served.host.metrics.text())?.[1], {
      timeout: 10_000,
    })
    .toBe('0')
})

test('a deadline travels too', async () => {
  await expect(
    remote().call('fixture', 'run_slowly', { steps: 1000, step_ms: 20 }, as({ timeout_ms: 100 })),
  ).rejects.toMatchObject({ number: 'E0017' })
})

test('nothing listening is said with the remedy', async () => {
  const nobody = remote({ serviceKey: KEY }, 'http://127.0.0.1:9', 2)
  await expect(nobody.call('fixture', 'echo_value', { value: 1 }, as())).rejects.toMatchObject({
    number: 'E0912',
    hint: expect.stringContaining('story-portal up'),
  })
  expect(await nobody.status('fixture')).toMatchObject({ state: 'unreachable', reasons: ['it does not answer'] })
})

test('a lost answer: with a key the effect happens once, without one the caller is told that it is unknown', async () => {
  const proxy = await startFaultProxy({ port: served.http.port })
  const through = remote({ serviceKey: KEY }, `http://127.0.0.1:${proxy.port}`)
  const mine = { caller: { ...caller(), tenant_id: `${served.tenant}_lost` } }
  const count = async () => (await served.host.call('fixture', 'count_notes', {}, mine))['count']
  proxy.loseNextAnswer()
  const kept = await through.call('fixture', 'add_note', { title: 'a' }, { ...mine, idempotency_key: 'k1' })
  expect(kept).toMatchObject({ id: expect.stringMatching(/^gol_/) })
  expect(await count()).toBe(1)
  proxy.loseNextAnswer()
  await expect(through.call('fixture', 'add_note', { title: 'b' }, mine)).rejects.toMatchObject({
    number: 'E0913',
    hint: expect.stringContaining('idempotency_key'),
  })
  proxy.refuse()
  await expect(through.call('fixture', 'count_notes', {}, mine)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  proxy.heal()
  await expect
    .poll(() => through.call('fixture', 'count_notes', {}, mine).catch(() => undefined), { timeout: 10_000 })
    .toMatchObject({ count: expect.any(Number) })
  await proxy.close()
})

test('only our own refusal means not let in: after one of a proxy in between a call without a key is not repeated', async () => {
  const bodies = [
    { status: 502, body: { message: 'upstream reset' } },
    { status: 503, body: { error: { code: 'UNAVAILABLE', number: 17 } } },
    { status: 503, body: { error: 'no healthy upstream' } },
    { status: 500, body: null },
  ]
  let asked = 0
  let answer: { status: number; body: unknown } = { status: 502, body: null }
  const gateway = createServer((req, res) => {
    asked += 1
    req.resume().once('end', () => {
      res.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
    })
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const through = () => remote({ serviceKey: KEY }, `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`)
  const fails = (options = {}) => expect(through().call('fixture', 'add_note', { title: 'x' }, as(options))).rejects
  for (answer of bodies) {
    asked = 0
    await fails().toMatchObject({ number: 'E0913' })
    expect(asked).toBe(1)
  }
  // With a key it may be repeated; and our own refusal always, since nothing has run.
  asked = 0
  await fails({ idempotency_key: 'k-gateway' }).toMatchObject({ number: 'E0913' })
  expect(asked).toBe(4)
  asked = 0
  answer = { status: 503, body: { error: { code: 'UNAVAILABLE', number: 'E0905', message: 'm', hint: 'h' } } }
  await fails().toMatchObject({ number: 'E0905' })
  expect(asked).toBe(4)
  await new Promise((resolve) => gateway.close(resolve))
})

test('a process that drains sends callers elsewhere before anything runs', async () => {
  const draining = await open(fixtureServer('leaving', 91), { start: true })
  const http = await serveHttp(draining.host, 'leaving', { port: 0, token: 't' })
  const leaving = remoteServers({
    config: { host: '127.0.0.1', portBase: 1, urls: { leaving: http.url } },
    manifests: [{ ...manifest, name: 'leaving' }],
    credentials: { token: 't' },
    log: silentLog,
    attempts: 1,
  })
  expect(await leaving.status('leaving')).toMatchObject({ state: 'ready', version: '1.2.3' })
  const running = leaving.call('leaving', 'run_slowly', { steps: 20, step_ms: 20 }, as())
  await expect
    .poll(async () => /calls_in_flight\{server="leaving"\} (\d+)/.exec(await draining.host.metrics.text())?.[1])
    .toBe('1')
  const closing = draining.host.close()
  await expect(leaving.call('leaving', 'echo_value', { value: 1 }, as())).rejects.toMatchObject({ number: 'E0905' })
  expect(await leaving.status('leaving')).toMatchObject({ state: 'not_ready' })
  expect(await running).toEqual({ steps: 20 })
  await closing
  await http.close()
})
