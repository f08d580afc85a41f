import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Opened, open, PRIVATE_FORMS } from '@story-portal/shared/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

// What code may do beyond calling tools, from inside: what is granted works once, what is not is denied and on record.

let tools: Opened
let receiver: Server
let host: string
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []
let answer: (request: IncomingMessage, body: string) => { status?: number; headers?: object; body?: string | Buffer }

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
    const { status = 200, headers = {}, body: text = '' } = answer(request, body)
    response.writeHead(status, { ...headers }).end(text)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => receiver.once('listening', resolve))
  host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  tools = await open('tool-execution', {
    with: ['data'],
    start: true,
    config: { fetch: { privateHosts: `${host}, localhost:1` } },
  })
})
afterAll(() => receiver.close())
beforeEach(() => {
  seen = []
  answer = () => ({ headers: { 'content-type': 'application/json' }, body: '{"n":1}' })
})

const run = (code: string, permissions: object = {}, more: object = {}) =>
  tools.call('run_code', { code, permissions, ...more })
const refused = (code: string, permissions: object = {}, more: object = {}) =>
  tools.callError('run_code', { code, permissions, ...more })

async function denials() {
  const { items } = await tools.callOn('data', 'list_events', { type: 'capability.denied', limit: 200 })
  return items as unknown as { data: { number: string; call: string; invocation_id: string } }[]
}

test('http.fetch reaches what is granted, and its answer is recorded with the run', async () => {
  const code = "return await http.fetch(input, { headers: { accept: 'application/json' } })"
  const input = `http://${host}/a?b=1`
  const { result, invocation_id } = await run(code, { http: [host] }, { input })
  expect(result).toMatchObject({ status: 200, body: { n: 1 } })
  expect(seen).toMatchObject([{ method: 'GET', url: '/a?b=1', headers: { accept: 'application/json' } }])
  const { items } = await tools.call('list_invocations', { kind: 'capability', limit: 1 })
  expect(items).toMatchObject([
    { tool: '@http.fetch', parent_invocation_id: invocation_id, status: 'succeeded', effect: 'pure' },
  ])
  const { invocation } = await tools.call('get_invocation', { invocation_id: items[0].id })
  expect(invocation).toMatchObject({ arguments: { url: input }, output: { body: { n: 1 } } })
})

test('the same call again sends nothing again', async () => {
  const call = { code: `return (await http.fetch('http://${host}/', { method: 'POST', body: 'x' })).status` }
  const once = () => tools.call('run_code', { ...call, permissions: { http: [host] }, idempotency_key: 'post-once' })
  expect([await once(), await once()]).toMatchObject([
    { result: 200, replayed: false },
    { result: 200, replayed: true },
  ])
  expect(seen).toHaveLength(1)
  expect(seen[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{64}$/)
})

test.each([
  ['another port', () => `http://${host.replace(/\d+$/, '1')}/`, 'E3033'],
  ['a host that is not granted', () => 'https://example.com/', 'E3033'],
  ['a user name in the URL', () => `http://somebody@${host}/`, 'E3035'],
  ['another scheme', () => 'file:///etc/passwd', 'E3035'],
  ['no URL at all', () => 'not a url', 'E3035'],
])('%s is not fetched', async (_what, url, number) => {
  expect(await refused(`return await http.fetch(input)`, { http: [host] }, { input: url() })).toMatchObject({ number })
  expect(seen).toEqual([])
})

test('a redirect has to be granted too, and takes no header to another origin', async () => {
  answer = ({ url }) => (url === '/away' ? { status: 302, headers: { location: 'http://localhost:1/' } } : {})
  const code = `return await http.fetch('http://${host}/away', { headers: { 'x-key': 'mine' } })`
  expect(await refused(code, { http: [host] })).toMatchObject({
    number: 'E3033',
    message: expect.stringContaining('localhost:1'),
  })
  answer = ({ url }) => (url === '/away' ? { status: 307, headers: { location: '/here' } } : { body: 'there' })
  expect((await run(code, { http: [host] })).result).toMatchObject({ status: 200, body: 'there' })
  expect(seen.at(-1)).toMatchObject({ url: '/here', headers: { 'x-key': 'mine' } })
  answer = () => ({ status: 302, headers: { location: '/away' } })
  expect(await refused(code, { http: [host] })).toMatchObject({ number: 'E3038' })
  const post = `return (await http.fetch('http://${host}/away', { method: 'POST' })).status`
  expect((await run(post, { http: [host] })).result).toBe(302)
})

test('a secret goes into a header, to the hosts it is meant for, and comes back to nobody', async () => {
  await tools.call('set_secret', { name: 'github', value: 'ghp_verysecret', hosts: [host] })
  answer = ({ headers }) => ({
    headers: { 'x-echo': headers.authorization ?? '' },
    body: `got ${headers.authorization}`,
  })
  const code = `return await http.fetch('http://${host}/', { headers: { authorization: { secret: 'github', prefix: 'Bearer ' } } })`
  const done = await run(code, { http: [host], secrets: ['github'] })
  expect(seen[0]?.headers.authorization).toBe('Bearer ghp_verysecret')
  expect(done.result).toMatchObject({
    body: 'got Bearer [secret github]',
    headers: { 'x-echo': 'Bearer [secret github]' },
  })
  const sugar = `return (await http.fetch('http://${host}/', { headers: { 'x-token': secrets.github } })).status`
  expect((await run(sugar, { http: [host], secrets: ['github'] })).result).toBe(200)
  expect(seen[1]?.headers['x-token']).toBe('ghp_verysecret')

  expect(await refused(code, { http: [host] })).toMatchObject({
    number: 'E3054',
    message: expect.stringContaining('not granted'),
  })
  await tools.call('set_secret', { name: 'elsewhere', value: 'ghp_othersecret' })
  const wrong = code.replace("'github'", "'elsewhere'")
  expect(await refused(wrong, { http: [host], secrets: ['elsewhere'] })).toMatchObject({ number: 'E3054' })
  expect(await refused(wrong.replace("'elsewhere'", "'nobody'"), { http: [host], secrets: ['nobody'] })).toMatchObject({
    code: 'NOT_FOUND',
  })
  const { items } = await tools.call('list_secrets', {})
  expect(items.map(({ name }: { name: string }) => name)).toEqual(['elsewhere', 'github'])
  await tools.call('delete_secret', { name: 'elsewhere' })
  expect(await tools.callError('delete_secret', { name: 'elsewhere' })).toMatchObject({ code: 'NOT_FOUND' })

  const everything = JSON.stringify([
    (await tools.callOn('data', 'list_events', { limit: 200 })).items,
    (await tools.call('list_invocations', { limit: 200 })).items,
    items,
  ])
  expect(everything).toContain('secret.set')
  expect(everything).not.toMatch(/ghp_(very|other)secret/)
})

test('a secret that is no header value is refused before anything is sent, and a tiny one is not looked for in answers', async () => {
  const code = `return await http.fetch('http://${host}/', { method: 'POST', headers: { 'x-token': secrets.odd } })`
  const granted = { http: [host], secrets: ['odd'] }
  await tools.call('set_secret', { name: 'odd', value: 'with an end of line\n', hosts: [host] })
  expect(await refused(code, granted)).toMatchObject({ number: 'E3054', message: expect.stringContaining('line end') })
  expect(seen).toEqual([])
  await tools.call('set_secret', { name: 'odd', value: 'a', hosts: [host] })
  answer = () => ({ body: 'banana' })
  expect((await run(code, granted)).result).toMatchObject({ body: 'banana' })
})

test('a secret read as text is denied and recorded', async () => {
  const reads = [
    'return `$' + '{secrets.github}`',
    "return secrets.github + ''",
    'return String(secrets.github)',
    'return [secrets.github].join()',
  ]
  for (const code of reads) {
    const before = (await denials()).length
    expect(await refused(code, { secrets: ['github'] })).toMatchObject({ number: 'E3001' })
    await expect.poll(async () => (await denials()).length).toBe(before + 1)
  }
  expect((await denials()).slice(-1)).toMatchObject([{ data: { number: 'E3054', call: '@secrets.read' } }])
  expect((await run('return [JSON.stringify(secrets.github), Object.keys(secrets.github)]')).result).toEqual([
    '{"secret":"github"}',
    ['secret'],
  ])
})

test('what is not granted is denied, recorded and the run may go on without it', async () => {
  const code = `
    const tried = [
      () => http.fetch('http://${host}/'), () => storage.get('a'), () => storage.set('a', 1), () => storage.delete('a'),
      () => storage.list(), () => tools.data.list_records({ kind: 'goal' }),
    ]
    const numbers = []
    for (const attempt of tried) numbers.push(await attempt().then(() => 'done', (error) => error.number))
    return numbers`
  const before = (await denials()).length
  const { result, invocation_id } = await run(code)
  expect(result).toEqual(['E3033', 'E3039', 'E3039', 'E3039', 'E3039', 'E3030'])
  const after = (await denials()).filter(({ data }) => data.invocation_id === invocation_id)
  expect(after.map(({ data }) => data.call).sort()).toEqual([
    '@http.fetch',
    '@storage.delete',
    '@storage.get',
    '@storage.list',
    '@storage.set',
    'data.list_records',
  ])
  expect((await denials()).length).toBe(before + 6)
})

async function register(name: string, code: string, version = '1.0.0') {
  const input_schema = { type: 'object' }
  await tools.call('register_tool', {
    ...{ name, version, description: 'Keeps things.', input_schema },
    ...{ source: { type: 'javascript', code }, permissions: { storage: true } },
  })
}
const invoke = async (tool: string, args: object = {}) =>
  (await tools.call('invoke_tool', { tool, arguments: { ...args } })).invocation as unknown as {
    status: string
    output: unknown
    error: { number: string }
  }

test('storage belongs to a tool: kept between calls and versions, apart from other tools and tenants', async () => {
  const counter = "const n = ((await storage.get('n')) ?? 0) + 1; await storage.set('n', n); return n"
  await register('keeper', counter)
  await register('other_keeper', counter)
  expect([(await invoke('keeper')).output, (await invoke('keeper')).output]).toEqual([1, 2])
  await register('keeper', counter, '1.1.0')
  expect([(await invoke('keeper')).output, (await invoke('other_keeper')).output]).toEqual([3, 1])
  const stranger = await open('tool-execution')
  await stranger.call('register_tool', {
    ...{ name: 'keeper', version: '1.0.0', description: 'Keeps.', input_schema: { type: 'object' } },
    ...{ source: { type: 'javascript', code: counter }, permissions: { storage: true } },
  })
  const { invocation } = await stranger.call('invoke_tool', { tool: 'keeper', arguments: {} })
  expect(invocation).toMatchObject({ output: 1 })
})

test('storage lists and deletes, and refuses what is over its quota as a whole', async () => {
  await register(
    'pantry',
    `const { op, key, value, size } = input
     if (op === 'fill') { for (let i = 0; i < 12; i++) await storage.set('big' + i, 'x'.repeat(size)); return 'all' }
     if (op === 'more') return await storage.set('more', 'y'.repeat(size))
     if (op === 'list') return (await storage.list(key)).map((entry) => entry.key)
     return await storage[op](key, value)`,
  )
  await invoke('pantry', { op: 'set', key: 'a/1', value: { deep: [1, null] } })
  await invoke('pantry', { op: 'set', key: 'a/2', value: 'two' })
  await invoke('pantry', { op: 'set', key: 'b', value: null })
  expect((await invoke('pantry', { op: 'get', key: 'a/1' })).output).toEqual({ deep: [1, null] })
  expect((await invoke('pantry', { op: 'list', key: 'a/' })).output).toEqual(['a/1', 'a/2'])
  expect((await invoke('pantry', { op: 'delete', key: 'a/2' })).output).toBe(true)
  expect((await invoke('pantry', { op: 'delete', key: 'a/2' })).output).toBe(false)
  expect((await invoke('pantry', { op: 'get', key: 'a/2' })).output).toBeNull()
  expect((await invoke('pantry', { op: 'set', key: '', value: 1 })).error.number).toBe('E0001')
  const full = await invoke('pantry', { op: 'fill', size: 600_000 })
  expect(full).toMatchObject({ status: 'succeeded', output: 'all' })
  expect((await invoke('pantry', { op: 'more', size: 4_000_000 })).error.number).toBe('E3050')
  expect((await invoke('pantry', { op: 'get', key: 'more' })).output).toBeNull()
})

test('code may not grant hosts and secrets to other code, nor touch secrets', async () => {
  const granted = { tools: ['tool-execution.*'] }
  const tries = [
    `tools.tool_execution.run_code({ code: 'return 1', permissions: { http: ['${host}'] } })`,
    "tools.tool_execution.run_code({ code: 'return 1', permissions: { secrets: ['github'] } })",
    "tools.tool_execution.set_secret({ name: 'github', value: 'x' })",
    "tools.tool_execution.delete_secret({ name: 'github' })",
  ]
  for (const call of tries) expect(await refused(`return await ${call}`, granted)).toMatchObject({ number: 'E3053' })
})

test(`${PRIVATE_FORMS.length} forms of private addresses, granted by name: each is denied from inside and on record, and nothing arrives`, async () => {
  const port = host.split(':')[1]
  const urls = PRIVATE_FORMS.map((form) => `http://${form}:${port}/`)
  // The very address of the receiver is what the operator allows here.
  const others = urls.filter((url) => new URL(url).host !== host)
  expect(others.length).toBeGreaterThanOrEqual(50)
  const code = `const numbers = []
    for (const url of input) numbers.push(await http.fetch(url).then(() => 'fetched', (error) => error.number))
    return numbers`
  const granted = { http: [...new Set(others.map((url) => new URL(url).host))] }
  const { result, invocation_id } = await run(code, granted, { input: others })
  expect(result).toEqual(others.map(() => 'E3034'))
  expect(seen).toEqual([])
  const recorded = (await denials()).filter(({ data }) => data.invocation_id === invocation_id)
  expect(recorded.map(({ data }) => data.number)).toEqual(others.map(() => 'E3034'))
})

test.each([
  ['files by import', "await import('node:fs')"],
  ['files by require', "require('fs').readFileSync('/etc/passwd', 'utf8')"],
  ['the environment', 'process.env'],
  ['the network by fetch', "await fetch('http://example.com/')"],
  ['the network by WebSocket', "new WebSocket('ws://example.com/')"],
])('%s: not there, and the failed run is on record', async (_what, expression) => {
  const error = await refused(`return ${expression}`, { tools: ['data.*'], http: ['example.com'], storage: true })
  expect(error).toMatchObject({ number: 'E3001' })
  const { invocation } = await tools.call('get_invocation', { invocation_id: error.details?.['invocation_id'] })
  expect(invocation).toMatchObject({ status: 'failed', kind: 'code' })
})
