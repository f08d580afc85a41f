import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

let tools: Opened
let seen: string[] = []
/** What the next requests get, then 200. */
let answers: number[] = []
let takes = 0

const api = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`)
  const answer = () => response.writeHead(answers.shift() ?? 200, { 'content-type': 'application/json' }).end('{}')
  setTimeout(answer, takes)
})

beforeAll(async () => {
  tools = await open('tool-execution', { start: true, with: ['data'] })
  await new Promise<void>((listening) => api.listen(0, '127.0.0.1', listening))
})
afterAll(() => api.close())
beforeEach(() => {
  seen = []
  answers = []
  takes = 0
})

let count = 0
/** An API of its own for each test, and so tools whose past nobody shares. */
async function imported() {
  const name = `api${++count}`
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  const operation = (operationId: string) => ({ operationId, responses: { 200: { description: 'x' } } })
  const paths = { '/thing': { get: operation('read'), post: operation('write') } }
  const document = { openapi: '3.0.3', info: { title: 'x', version: '1' }, paths }
  await tools.call('import_openapi', { name, document, server_url: url })
  return async (tool: 'read' | 'write', more: object = {}) =>
    (await tools.call('invoke_tool', { tool: `${name}_${tool}`, arguments: {}, ...more })).invocation
}

test('what only reads is tried three times', async () => {
  const invoke = await imported()
  answers = [503, 500]
  expect(await invoke('read')).toMatchObject({ status: 'succeeded' })
  expect(seen).toEqual(['GET /thing', 'GET /thing', 'GET /thing'])
  answers = [500, 500, 500, 500]
  expect(await invoke('read')).toMatchObject({ status: 'failed', error: { number: 'E3084' } })
  expect(seen).toHaveLength(6)
})

test('what changes something is sent once', async () => {
  const invoke = await imported()
  answers = [500]
  expect((await invoke('write')).status).toBe('unknown')
  expect(seen).toEqual(['POST /thing'])
})

test('after five failures a tool rests: nothing is sent, and that is certain; others of the upstream go on; then it is asked again', async () => {
  const invoke = await imported()
  answers = [500, 500, 500, 500, 500]
  for (let i = 0; i < 5; i++) expect((await invoke('write')).status).toBe('unknown')
  const resting = await invoke('write')
  expect(resting).toMatchObject({ status: 'failed', error: { number: 'E3060', retryable: true } })
  expect(resting.error.retry_after_ms).toBeGreaterThan(0)
  expect(seen).toHaveLength(5)
  expect((await invoke('read')).status).toBe('succeeded')
  for (let tries = 0; (await invoke('write')).status !== 'succeeded' && tries < 50; tries++) await sleep(100)
  expect(seen.filter((request) => request.startsWith('POST'))).toHaveLength(6)
})

test('refusals are no failures', async () => {
  const invoke = await imported()
  answers = [404, 409, 400, 422, 404, 404]
  for (let i = 0; i < 6; i++) expect((await invoke('read')).error).toMatchObject({ number: 'E3085' })
  expect((await invoke('read')).status).toBe('succeeded')
  expect(seen).toHaveLength(7)
})

test('callers that do not wait make no tool rest for those who do', async () => {
  const invoke = await imported()
  takes = 500
  for (let i = 0; i < 6; i++) expect((await invoke('write', { timeout_ms: 20 })).status).toBe('unknown')
  expect((await invoke('read', { timeout_ms: 20 })).error).toMatchObject({ number: 'E3081' })
  expect((await invoke('write')).status).toBe('succeeded')
})
