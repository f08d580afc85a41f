import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Caller } from '@story-portal/shared/auth'
import { localBackend } from '@story-portal/shared/mcp'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mcpEndpoint } from '../../../shared/mcp/http-mcp.ts'
import { type Case, exchange, type Target } from './exchange.ts'
import { call, type Era, list, send } from './messages.ts'
import { starts, waits } from './request-reader.ts'
import { ask, counted, type Pair, servePair, targetOf } from './servers.ts'

const ERAS: Era[] = ['modern', 'legacy']

let pair: Pair
let shared: Server
/** Calls that outlast the interval of keep-alives; started first, so that the other tests pass meanwhile. */
let long: Promise<unknown>[]

beforeAll(async () => {
  pair = await servePair()
  long = ERAS.flatMap((era) => [
    ask(pair.front, waiting(era, 'long', 16_000)),
    ask(pair.sdk, waiting(era, 'long', 16_000)),
  ])
  shared = await serveCallers()
})
afterAll(async () => {
  shared.closeAllConnections()
  shared.close()
  await pair.close()
})

function waiting(era: Era, tag: string, ms = 60_000): Case {
  return send(`wait ${tag}`, era, call(era, { name: 'wait_for_cancel', arguments: { tag, ms } }))
}

const CALLERS: Record<string, Pick<Caller, 'roles' | 'scopes'> & { sees: string[] }> = {
  owner: { roles: ['owner'], scopes: ['*'], sees: ['admin_only', 'answer_oddly', 'constructor', 'read_request'] },
  reader: { roles: ['reader'], scopes: ['*'], sees: ['constructor', 'in_transaction', 'read_request'] },
  one: { roles: ['member'], scopes: ['reader:read_request'], sees: ['read_request'] },
  none: { roles: ['member'], scopes: ['other:*'], sees: [] },
}

/** The endpoint behind a gate that knows several callers by their tokens. */
async function serveCallers(): Promise<Server> {
  const { host } = pair.front
  const loaded = host.servers.get('reader')
  if (!loaded) throw new Error('the server is not there')
  const endpoint = mcpEndpoint(host, localBackend(host, loaded), 1_200_000)
  const server = createServer((req, res) => {
    const token = req.headers.authorization?.slice('Bearer '.length) ?? ''
    const { roles = [], scopes = [] } = CALLERS[token] ?? {}
    const caller: Caller = {
      tenant_id: 'local',
      subject: `user:${token}`,
      roles,
      scopes,
      client: { surface: 'http', name: '?' },
    }
    endpoint.serve(req, res, caller).catch(() => res.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const as = (token: string): Target => ({ port: (shared.address() as AddressInfo).port, token })

interface Result {
  structuredContent: { args?: object; caller?: Caller; tag?: string }
  tools: { name: string }[]
  isError?: boolean
}

function resultOf(answer: { body: string }): Result {
  return JSON.parse(answer.body.replace(/^event: message\ndata: /, '')).result
}

test('callers with different rights, interleaved in both eras with equal ids: each its own list, answer and refusal', async () => {
  const work = Array.from({ length: 40 }, (_, round) =>
    ERAS.flatMap((era) => Object.keys(CALLERS).map((who) => ({ era, who, value: `${era} ${who} ${round}` }))),
  ).flat()
  await Promise.all(
    work.map(async ({ era, who, value }) => {
      const read = send(value, era, call(era, { name: 'read_request', arguments: { value } }))
      const odd = send(value, era, call(era, { name: 'answer_oddly', arguments: { shape: 'empty' } }))
      const answers = await Promise.all([read, send(value, era, list(era)), odd].map((sent) => exchange(as(who), sent)))
      const [seen, listed, refused] = answers.map(resultOf)
      const names = listed?.tools.map(({ name }) => name)
      const sees = CALLERS[who]?.sees ?? []
      expect(names).toEqual(expect.arrayContaining(sees))
      if (who !== 'owner')
        expect(names?.filter((name) => !sees.includes(name) && name !== 'in_transaction')).toEqual([])
      if (who === 'none') expect(seen?.isError).toBe(true)
      else expect(seen?.structuredContent).toMatchObject({ args: { value }, caller: { subject: `user:${who}` } })
      expect(refused?.isError === true).toBe(who !== 'owner')
    }),
  )
  // None of them left the front path on the way.
  expect(Object.keys(await counted(pair.front))).toEqual(['fast'])
})

test('callers that may call the same tools are shown one list, made once', async () => {
  const caller = (subject: string, scopes: string[]): Caller => {
    return { tenant_id: 'local', subject, roles: ['member'], scopes, client: { surface: 'http', name: '?' } }
  }
  const shown = (who: Caller) => pair.front.host.definitions('reader', who)
  const first = await shown(caller('user:a', ['reader:read']))
  expect(await shown(caller('user:b', ['x:y', '*:read']))).toBe(first)
  expect(await shown(caller('user:b', ['reader:read', 'reader:add_note']))).not.toBe(first)
})

test('a client that knows another name for itself in the middle of others is called by its own', async () => {
  const named = (name: string) =>
    send(
      name,
      'modern',
      {
        ...call('modern', {}),
        params: {
          name: 'read_request',
          arguments: { value: 1 },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
            'io.modelcontextprotocol/clientInfo': { name, version: '1' },
          },
        },
      },
      { 'Mcp-Name': 'read_request' },
    )
  const names = Array.from({ length: 300 }, (_, i) => `client ${i}`)
  const answers = await Promise.all(names.map((name) => exchange(targetOf(pair.front), named(name))))
  expect(answers.map((answer) => resultOf(answer).structuredContent.caller?.client.name)).toEqual(names)
})

test('500 calls at once, half of them refused by the plan: each tool starts exactly once', async () => {
  const before = starts.get(pair.front.host) ?? 0
  const calls = Array.from({ length: 500 }, (_, i) => {
    const era = ERAS[i % 2] ?? 'modern'
    const slow = i % 4 < 2 ? { 'Content-Type': 'application/json; charset=utf-8' } : {}
    return send(`${i}`, era, { ...call(era, { name: 'write_once', arguments: { tag: `t${i}` } }), id: i }, slow)
  })
  const answers = await Promise.all(calls.map((sent) => exchange(targetOf(pair.front), sent)))
  const tags = answers.map((answer) => resultOf(answer).structuredContent.tag)
  expect(tags).toEqual(calls.map((_, i) => `t${i}`))
  expect((starts.get(pair.front.host) ?? 0) - before).toBe(500)
})

test.each(ERAS.flatMap((era) => [[era, 'front'] as const, [era, 'sdk'] as const]))(
  '%s at the %s: a client that hangs up in the middle of a call cancels it',
  async (era, which) => {
    const before = starts.get(pair[which].host) ?? 0
    const tag = `gone ${era} ${which}`
    const leave = new AbortController()
    const gone = exchange(targetOf(pair[which]), waiting(era, tag), leave.signal).catch((error: Error) => error.name)
    await expect.poll(() => waits.begun.has(tag)).toBe(true)
    leave.abort()
    expect(await gone).toBe('AbortError')
    await expect.poll(() => waits.cancelled.has(tag)).toBe(true)
    expect((starts.get(pair[which].host) ?? 0) - before).toBe(1)
    expect(await ask(pair[which], send('next', era, list(era)))).toMatchObject({ status: 200 })
  },
)

test('an older client of a session cancels its call in a request of its own, on both paths with the same answer', async () => {
  const answers = [pair.front, pair.sdk].map(async (served, i) => {
    const headers = { 'Mcp-Session-Id': `session ${i}` }
    const tag = `session ${i}`
    const running = ask(served, send(tag, 'legacy', { ...waitBody(tag), id: 'w' }, headers))
    await expect.poll(() => waits.begun.has(tag)).toBe(true)
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'w' } }
    expect(await ask(served, send('cancel', 'legacy', cancel, headers))).toMatchObject({ status: 202 })
    return running
  })
  const [front, sdk] = await Promise.all(answers)
  expect(front).toEqual(sdk)
  expect(front).toMatchObject({ status: 200, body: expect.stringContaining('cancelled') })
})

const waitBody = (tag: string) => call('legacy', { name: 'wait_for_cancel', arguments: { tag } })

test('the trace of a client reaches the event log on both paths', async () => {
  const trace = '0af7651916cd43dd8448eb211c80319c'
  for (const [i, served] of [pair.front, pair.sdk].entries()) {
    for (const era of ERAS) {
      const title = `traced ${i} ${era}`
      const body = call(era, { name: 'add_note', arguments: { title } })
      const { _meta } = body['params'] as { _meta?: object }
      const params = {
        ...(body['params'] as object),
        _meta: { ..._meta, traceparent: `00-${trace}-b7ad6b7169203331-01` },
      }
      expect(await ask(served, send(title, era, { ...body, params }))).toMatchObject({ status: 200 })
    }
  }
  const { rows } = await pair.front.host.db.tx({ kind: 'owner' }, (tx) =>
    sql<{ n: number }>`select count(*)::int as n from core.events where traceparent like ${`00-${trace}-%`}`.execute(
      tx,
    ),
  )
  expect(rows[0]?.n).toBe(4)
})

test('a call longer than the keep-alive interval: the same bytes from both', async () => {
  const [modernFront, modernSdk, legacyFront, legacySdk] = await Promise.all(long)
  expect(modernFront).toEqual(modernSdk)
  expect(legacyFront).toEqual(legacySdk)
  expect(legacyFront).toMatchObject({ body: expect.stringMatching(/^: keepalive\n\nevent: message\n/) })
})
