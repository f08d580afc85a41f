import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PRIVATE_FORMS } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGuardedFetch } from './guarded-fetch.ts'

// The receiver listens on every address of this machine: whatever gets through, arrives.

let receiver: Server
let port: number
let arrived = 0

beforeAll(async () => {
  receiver = createServer((_request, response) => {
    arrived += 1
    response.end('here')
  }).listen(0)
  await new Promise((resolve) => receiver.once('listening', resolve))
  port = (receiver.address() as AddressInfo).port
})
afterAll(() => receiver.close())

test(`${PRIVATE_FORMS.length} forms of private, loopback and reserved addresses: refused, and nothing arrives`, async () => {
  expect(PRIVATE_FORMS.length).toBeGreaterThanOrEqual(60)
  const guarded = createGuardedFetch({ privateHosts: [] })
  for (const form of PRIVATE_FORMS) {
    const error = await guarded(`http://${form}:${port}/`).catch((e: unknown) => e)
    expect([form, error]).toMatchObject([form, { number: 'E3034', code: 'DENIED' }])
  }
  expect(arrived).toBe(0)
  await guarded.close()
})

test.each([
  'file:///etc/passwd',
  'ftp://example.com/',
  'gopher://example.com/',
  'data:,x',
  'blob:x',
  '//example.com',
  'x',
  'http://u:p@example.com/',
  'http://u@example.com/',
])('%s is no URL to fetch', async (url) => {
  const guarded = createGuardedFetch({ privateHosts: [] })
  await expect(guarded(url)).rejects.toMatchObject({ number: 'E3035' })
})

/** A resolver whose answers are these, one after the other, then the last again. */
function resolver(...answers: string[][]) {
  let asked = 0
  const lookup = (_host: string, _options: object, found: (error: null, addresses: object[]) => void) => {
    const addresses = answers[Math.min(asked++, answers.length - 1)] ?? []
    found(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { lookup: lookup as never, asked: () => asked }
}

test.each([
  ['a private address', [['127.0.0.1']]],
  ['a private address beside a public one', [['93.184.216.34', '127.0.0.1']]],
  ['IPv6 loopback', [['::1']]],
  ['none', [[]]],
])('a name that resolves to %s is refused', async (_what, answers) => {
  const { lookup } = resolver(...answers)
  const guarded = createGuardedFetch({ privateHosts: [], lookup })
  await expect(guarded(`http://rebind.example:${port}/`)).rejects.toMatchObject({ number: 'E3034' })
  expect(arrived).toBe(0)
})

test('an answer that changes is looked at again by each connection, and by nothing else', async () => {
  const { lookup, asked } = resolver(['192.0.2.1'], ['127.0.0.1'])
  const guarded = createGuardedFetch({ privateHosts: [], lookup })
  await expect(guarded(`http://rebind.example:${port}/`)).rejects.toMatchObject({ number: 'E3034' })
  await expect(guarded(`http://rebind.example:${port}/`)).rejects.toMatchObject({ number: 'E3034' })
  expect([asked(), arrived]).toEqual([2, 0])
})

test('what the operator lists is reached, by that port only when one is given; a redirect from there to elsewhere is not', async () => {
  const moved = createServer((request, response) => {
    const to = request.url === '/loop' ? '/loop' : `http://localhost:${port}/`
    response.writeHead(302, { location: to }).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => moved.once('listening', resolve))
  const from = `127.0.0.1:${(moved.address() as AddressInfo).port}`
  const guarded = createGuardedFetch({ privateHosts: [from] })
  await expect(guarded(`http://${from}/`)).rejects.toMatchObject({ number: 'E3038' })
  await expect(guarded(`http://${from}/`, { redirects: 3 })).rejects.toMatchObject({ number: 'E3034' })
  await expect(guarded(`http://${from}/loop`, { redirects: 3 })).rejects.toMatchObject({ number: 'E3038' })
  expect((await guarded(`http://${from}/`, { redirects: 'return' })).status).toBe(302)
  await expect(guarded(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ number: 'E3034' })
  expect(arrived).toBe(0)
  const wider = createGuardedFetch({ privateHosts: ['localhost', from] })
  const response = await wider(`http://${from}/`, { redirects: 1 })
  expect([response.status, await response.text(), arrived]).toEqual([200, 'here', 1])
  await guarded.close()
  await wider.close()
  moved.close()
})

test('an answer without end is cut', async () => {
  const flood = createServer((_request, response) => {
    const more = () => {
      while (response.write('x'.repeat(65_536)));
      response.once('drain', more)
    }
    more()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => flood.once('listening', resolve))
  const host = `127.0.0.1:${(flood.address() as AddressInfo).port}`
  const guarded = createGuardedFetch({ privateHosts: [host] })
  const response = await guarded(`http://${host}/`, { maxBytes: 1_000_000 })
  await expect(response.text()).rejects.toMatchObject({ number: 'E3037' })
  flood.closeAllConnections()
  flood.close()
})
