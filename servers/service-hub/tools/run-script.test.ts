import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let hub: Opened
beforeAll(async () => {
  hub = await open('service-hub', { start: true, with: ['tool-execution', 'data', 'planning', 'supervision'] })
})

const run = (code: string, more: object = {}) => hub.call('run_script', { code, ...more })

test('many calls, some at a time, as typed functions in one call', async () => {
  const done = await run(
    `const titles: string[] = input.titles
     const made = await Promise.all(titles.map((title) => tools.planning.create_goal({ title })))
     const { items } = await tools.data.list_records({ kind: 'goal' })
     return { ids: made.map(({ goal }) => goal.id), count: items.length }`,
    { input: { titles: ['a', 'b', 'c'] } },
  )
  expect(done.result).toMatchObject({
    count: 3,
    ids: [expect.stringMatching(/^gol_/), {}, {}].map(() => expect.any(String)),
  })
  expect(done.calls.map(({ tool, status }: Record<string, string>) => `${tool} ${status}`)).toEqual([
    ...Array(3).fill('planning.create_goal succeeded'),
    'data.list_records succeeded',
  ])
  expect(done).toMatchObject({ usage: { wall_ms: expect.any(Number) }, logs: [], replayed: false })
})

test('the same key gives the recorded result and calls nothing again', async () => {
  const key = { idempotency_key: 'k'.repeat(200) }
  const code = 'return (await tools.planning.create_goal({ title: "once" })).goal.id'
  const first = await run(code, key)
  expect(await run(code, key)).toMatchObject({ result: first.result, replayed: true, calls: [{}] })
  expect(await hub.callError('run_script', { code: 'return 2', ...key })).toMatchObject({ number: 'E0015' })
})

test('an error of a tool is an error of the script, with the code and number of the tool', async () => {
  const code = 'await tools.data.get_record({ kind: "goal", id: "gol_nobody" })'
  expect(await hub.callError('run_script', { code })).toMatchObject({ code: 'NOT_FOUND', number: 'E0004' })
  const caught = await run(`try { ${code} } catch (e) { return e.number }`)
  expect(caught).toMatchObject({ result: 'E0004', calls: [{ status: 'failed' }] })
})

test('the clock moves with the answers and random numbers go by the run, so that a repeat sees the same', async () => {
  const { result } = await run(`
    const a = [Date.now(), new Date().getTime(), new Date(0).constructor.now(), Date.parse(Date())]
    const waited = Date.now(); for (let i = 0; i < 1e6; i++) Math.sqrt(i)
    const still = Date.now() === waited
    await tools.service_hub.list_layers({})
    return { a, still, later: Date.now() >= a[0], random: [Math.random(), Math.random()], intl: typeof Intl,
      type: new Date() instanceof Date, fixed: new Date(2020, 1, 1).getFullYear(), name: Date.name }`)
  expect(new Set(result.a.slice(0, 3)).size).toBe(1)
  expect(Math.abs(result.a[0] - Date.now())).toBeLessThan(600_000)
  expect(result).toMatchObject({ still: true, later: true, intl: 'undefined', type: true, fixed: 2020, name: 'Date' })
  expect(result.random.every((n: number) => n >= 0 && n < 1)).toBe(true)
  expect(result.random[0]).not.toBe(result.random[1])
})

test('a script has the rights of its caller and not more, and can not decide about approvals', async () => {
  const reader = { caller: { roles: ['reader'], scopes: ['*:read', 'service-hub:*', 'tool-execution:run_code'] } }
  const narrow = await open('service-hub', { with: ['tool-execution', 'planning'], ...reader })
  const code = 'try { await tools.planning.create_goal({ title: "no" }); return "made" } catch (e) { return e.code }'
  const answer = await narrow.call('run_script', { code }).catch((error: { body: object }) => error.body)
  expect(JSON.stringify(answer)).toContain('DENIED')
  expect(JSON.stringify(answer)).not.toContain('"made"')
})

test('in the background it returns at once and ends later', async () => {
  const { invocation_id, status } = await run('return (await tools.service_hub.list_layers({})).items.length', {
    mode: 'background',
  })
  expect(status).toBe('pending')
  const read = async () => (await hub.callOn('tool-execution', 'get_invocation', { invocation_id })).invocation
  await expect.poll(async () => (await read()).status, { timeout: 15_000 }).toBe('succeeded')
  expect((await read()).output).toBeGreaterThan(0)
})

test.each([
  ['that does not parse', 'return 1\nlet = ;', 'E3002', { line: 2 }],
  ['that throws', 'throw new TypeError("no")', 'E3001', {}],
  ['that calls what is not there', 'return await tools.planning.no_such({})', 'E0009', {}],
  ['that names a server that is not there', 'return await tools.nowhere.do_it({})', 'E0010', {}],
])('a script %s', async (_name, code, number, details) => {
  expect(await hub.callError('run_script', { code })).toMatchObject({ number, details })
})

let asked = 0
/** A tool that a person must allow, and how a script calls it, after and before effects of its own. */
async function askingScript() {
  const name = `asks${++asked}`
  const code =
    'await tools.data.append_event({ stream: input.stream, type: "done.asked", data: input }); return input.n * 2'
  await hub.callOn('tool-execution', 'register_tool', {
    ...{
      name,
      version: '1.0.0',
      description: 'Asks first.',
      input_schema: { type: 'object' },
      requires_approval: true,
    },
    ...{ source: { type: 'javascript', code }, permissions: { tools: ['data.append_event'] } },
  })
  const script = `
    const before = await tools.planning.create_goal({ title: '${name} before' })
    const call = { tool: '${name}', arguments: { n: input.n, stream: '${name}' } }
    const [one, two] = await Promise.all([
      tools.planning.create_goal({ title: '${name} beside' }),
      input.hub ? tools.service_hub.call_tool({ server: 'registered', ...call }) : tools.tool_execution.invoke_tool(call),
    ])
    const after = await tools.planning.create_goal({ title: '${name} after' })
    return { before: before.goal.id, status: two.invocation.status, output: two.invocation.output, code: two.invocation.error?.number }`
  const goals = async () => {
    const { items } = await hub.callOn('data', 'list_records', { kind: 'goal', query: name })
    return items.map(({ title }: { title: string }) => title.split(' ')[1]).toSorted()
  }
  const events = async () => (await hub.callOn('data', 'list_events', { stream: name })).items.length
  return { script, goals, events }
}

const invocation = async (invocation_id: string) =>
  (await hub.callOn('tool-execution', 'get_invocation', { invocation_id })).invocation
const decide = (approval_id: string, decision: object) =>
  hub.callOn('supervision', 'decide_approval', { approval_id, ...decision })

test.each([false, true])(
  'a script waits for a person without being held, and goes on where it was (through the hub: %s)',
  async (through) => {
    const { script, goals, events } = await askingScript()
    const parked = await run(script, { input: { n: 4, hub: through }, idempotency_key: `park-${through}` })
    expect(parked).toMatchObject({ status: 'pending', result: null, approval: { status: 'pending' } })
    expect(await invocation(parked.invocation_id)).toMatchObject({ status: 'pending', waits_for: parked.approval.id })
    // Whoever asks again is told the same, and nothing is run meanwhile.
    expect(await run(script, { input: { n: 4, hub: through }, idempotency_key: `park-${through}` })).toMatchObject({
      invocation_id: parked.invocation_id,
      approval: { id: parked.approval.id },
    })
    expect(await goals()).not.toContain('after')
    expect(await events()).toBe(0)
    await decide(parked.approval.id, { decision: 'approve' })
    await expect
      .poll(async () => (await invocation(parked.invocation_id)).status, { timeout: 20_000 })
      .toBe('succeeded')
    const { output } = await invocation(parked.invocation_id)
    expect(output).toMatchObject({ status: 'succeeded', output: 8 })
    expect(await goals()).toEqual(['after', 'before', 'beside'])
    expect(await events()).toBe(1)
    const again = await run(script, { input: { n: 4, hub: through }, idempotency_key: `park-${through}` })
    expect(again).toMatchObject({ status: 'succeeded', replayed: true, result: output })
  },
)

test('denied, the script is told so and goes on; cancelled, nobody is asked any more', async () => {
  const { script, events } = await askingScript()
  const denied = await run(script, { input: { n: 1 } })
  await decide(denied.approval.id, { decision: 'deny', note: 'no' })
  await expect.poll(async () => (await invocation(denied.invocation_id)).status, { timeout: 20_000 }).toBe('succeeded')
  expect((await invocation(denied.invocation_id)).output).toMatchObject({ status: 'denied', code: 'E0520' })
  const dropped = await run(script, { input: { n: 1 } })
  await hub.callOn('tool-execution', 'cancel_invocation', { invocation_id: dropped.invocation_id })
  await expect(decide(dropped.approval.id, { decision: 'approve' })).rejects.toThrow()
  expect((await invocation(dropped.invocation_id)).status).toBe('cancelled')
  expect(await events()).toBe(0)
})

test('what runs beside a call that waits for a person is let finish before the script is put aside', async () => {
  const { events } = await askingScript()
  const name = `asks${asked}`
  const code = `
    for (let i = 0; i < 40; i++) await tools.data.list_events({ stream: input.stream })
    await tools.data.append_event({ stream: input.stream + '-slow', type: 'done.slow', data: {} })
    return 'slow'`
  await hub.callOn('tool-execution', 'register_tool', {
    ...{ name: `${name}-slow`, version: '1.0.0', description: 'Slow.', input_schema: { type: 'object' } },
    ...{ source: { type: 'javascript', code }, permissions: { tools: ['data.*'] } },
  })
  const script = `
    const answers = await Promise.all([
      tools.tool_execution.invoke_tool({ tool: '${name}-slow', arguments: { stream: '${name}' } }),
      tools.tool_execution.invoke_tool({ tool: '${name}', arguments: { n: 1, stream: '${name}' } }),
      tools.tool_execution.invoke_tool({ tool: '${name}', arguments: { n: 2, stream: '${name}' } }),
    ])
    return answers.map(({ invocation }) => invocation.output)`
  const parked = await run(script)
  expect(parked.status).toBe('pending')
  const open = async () => (await hub.callOn('supervision', 'list_approvals', { status: 'pending' })).items
  const both = (await open()).filter(({ tool }: { tool: string }) => tool === name)
  expect(both).toHaveLength(2)
  const dropped = await run(script)
  const all = (await open()).filter(({ tool }: { tool: string }) => tool === name)
  expect(all).toHaveLength(4)
  await hub.callOn('tool-execution', 'cancel_invocation', { invocation_id: dropped.invocation_id })
  expect((await open()).filter(({ tool }: { tool: string }) => tool === name)).toEqual(both)
  for (const { id } of both) await decide(id, { decision: 'approve' })
  await expect.poll(async () => (await invocation(parked.invocation_id)).status, { timeout: 20_000 }).toBe('succeeded')
  expect((await invocation(parked.invocation_id)).output).toEqual(['slow', 2, 4])
  expect(await events()).toBe(2)
  const slow = await hub.callOn('data', 'list_events', { stream: `${name}-slow` })
  expect(slow.items).toHaveLength(2)
  const { items } = await hub.callOn('tool-execution', 'list_invocations', { tool: `${name}-slow` })
  expect(items.map(({ status }: { status: string }) => status)).toEqual(['succeeded', 'succeeded'])
})

test('cancelled, a script takes along the script it called, and what that one waits for', async () => {
  const { script, goals } = await askingScript()
  const outer = 'return await tools.service_hub.run_script({ code: input.code, input: { n: 1 } })'
  const parked = await run(outer, { input: { code: script } })
  expect(parked).toMatchObject({ status: 'pending', approval: { status: 'pending' } })
  const open = async () =>
    (await hub.callOn('tool-execution', 'list_invocations', { run_id: parked.invocation_id, limit: 200 })).items.filter(
      ({ status }: { status: string }) => !['succeeded', 'failed', 'cancelled'].includes(status),
    )
  expect((await open()).map(({ kind }: { kind: string }) => kind).toSorted()).toEqual(['script', 'server_tool', 'tool'])
  await hub.callOn('tool-execution', 'cancel_invocation', { invocation_id: parked.invocation_id })
  expect(await open()).toEqual([])
  expect(await goals()).not.toContain('after')
})

test('a script goes on with what the script it called came to', async () => {
  const { script, events } = await askingScript()
  const outer = 'return (await tools.service_hub.run_script({ code: input.code, input: { n: 3 } })).result'
  const parked = await run(outer, { input: { code: script } })
  await decide(parked.approval.id, { decision: 'approve' })
  await expect.poll(async () => (await invocation(parked.invocation_id)).status, { timeout: 20_000 }).toBe('succeeded')
  expect((await invocation(parked.invocation_id)).output).toMatchObject({ output: 6 })
  expect(await events()).toBe(1)
})
