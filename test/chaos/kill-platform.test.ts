import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../shared/testing/postgres.ts'
import { startRedis, type TestRedis } from '../../shared/testing/redis.ts'
import { isAlive } from '../../tools/cli/processes.ts'
import { type AnyClient, callOver, manifests, type UnderTest, underTest } from '../e2e/under-test.ts'

/** Kills in one run; each lands while tasks of the plan are under way. */
const KILLS = 6
/** A chain of layers, each fanned out: enough work that every kill hits some. */
const LAYERS = 12
const WIDTH = 5

interface Row {
  [field: string]: unknown
}

/** The kill is what is tried, so a call that fails because of it is tried again under the same key until the platform is back. */
class Platform {
  private readonly it: UnderTest
  constructor(it: UnderTest) {
    this.it = it
  }

  async call(server: string, tool: string, args: Record<string, unknown>, key?: string): Promise<Row> {
    const deadline = Date.now() + 120_000
    while (true) {
      const client = await this.connect(server).catch(() => undefined)
      try {
        if (client) {
          const given = key === undefined ? args : { ...args, idempotency_key: key }
          return await callOver({ [server]: client })(server, tool, given)
        }
      } catch (error) {
        const text = String(error)
        // What the platform refused in its own words is an answer; only a call without one is repeated.
        if (/"code":"(?!UNAVAILABLE)[A-Z_]+"/.test(text)) throw error
      } finally {
        await client?.close().catch(() => {})
      }
      if (Date.now() > deadline) throw new Error(`${server}.${tool} got no answer for two minutes`)
      await sleep(100)
    }
  }

  private async connect(server: string): Promise<AnyClient> {
    const port = manifests().find(({ name }) => name === server)?.port ?? 0
    const token = readFileSync(path.join(this.it.home, 'token'), 'utf8').trim()
    const client = new Client({ name: 'kill-test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    const url = new URL(`http://127.0.0.1:${this.it.base + port}/mcp`)
    await client.connect(
      new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${token}` } } }),
    )
    return client as unknown as AnyClient
  }
}

const effect = `
  await tools.data.append_event({ stream: input.stream, type: 'effect.done', data: { key: input.key } })
  const until = Date.now() + 60
  while (Date.now() < until) {}
  return { key: input.key }`

function layeredTasks(stream: string): Row[] {
  const keys = (layer: number) => Array.from({ length: WIDTH }, (_, index) => `t${layer}_${index}`)
  return Array.from({ length: LAYERS }, (_, layer) =>
    keys(layer).map((key) => ({
      key,
      kind: 'code',
      code: effect,
      input: { stream, key },
      permissions: { tools: ['data.append_event'] },
      depends_on: layer === 0 ? [] : keys(layer - 1),
      retry: { max_attempts: 5, backoff_ms: 100 },
    })),
  ).flat()
}

/** The platform's own processes, not the supervisor that brings them back. */
function serverPids(home: string): number[] {
  return readdirSync(path.join(home, 'run', 'processes'))
    .map((name) => Number(/-(\d+)\.json$/.exec(name)?.[1] ?? 0))
    .filter((pid) => pid > 0 && isAlive(pid))
}

async function completed(platform: Platform, plan_id: string): Promise<number> {
  const { plan } = (await platform.call('planning', 'get_plan', { plan_id })) as { plan: { progress: Row } }
  return Number(plan.progress['completed'])
}

async function killDuringPlan(it: UnderTest, platform: Platform, plan_id: string): Promise<void> {
  const total = LAYERS * WIDTH
  for (let kill = 1; kill <= KILLS; kill += 1) {
    // Spread over the plan, so that no kill meets a finished one.
    const threshold = Math.floor((total * kill) / (KILLS + 2))
    while ((await completed(platform, plan_id)) < threshold) await sleep(25)
    const pids = serverPids(it.home)
    expect(pids.length).toBeGreaterThan(0)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
  }
}

async function expectAllOnce(platform: Platform, plan_id: string, stream: string): Promise<void> {
  const total = LAYERS * WIDTH
  const deadline = Date.now() + 120_000
  while ((await completed(platform, plan_id)) < total && Date.now() < deadline) await sleep(200)
  const { plan } = (await platform.call('planning', 'get_plan', { plan_id })) as { plan: Row }
  expect(plan['status']).toBe('completed')

  const { items } = (await platform.call('data', 'list_events', { stream, limit: 200 })) as { items: Row[] }
  const keys = items.map((event) => (event['data'] as Row)['key'])
  expect(keys.toSorted()).toEqual(
    layeredTasks(stream)
      .map((task) => task['key'])
      .toSorted(),
  )
  expect(items.map((event) => event['version'])).toEqual(items.map((_, index) => index + 1))

  const tasks = (await platform.call('data', 'list_records', { kind: 'task', filter: { plan_id }, limit: 100 })) as {
    items: Row[]
  }
  expect(tasks.items).toHaveLength(total)
  for (const { id } of tasks.items) {
    const read = (as_of?: string) =>
      platform.call('data', 'get_record', { kind: 'task', id, ...(as_of === undefined ? {} : { as_of }) })
    // The row as it is, against what its events alone say.
    expect(await read(new Date(Date.now() + 60_000).toISOString())).toMatchObject({
      record: (await read())['record'] as Row,
    })
  }
}

/** Writes goals all the while; returns the titles whose creation was acknowledged. */
async function writeMeanwhile(platform: Platform, stop: AbortSignal): Promise<string[]> {
  const acknowledged: string[] = []
  for (let index = 0; !stop.aborted; index += 1) {
    const title = `written meanwhile ${index}`
    await platform.call('planning', 'create_goal', { title }, `meanwhile-${index}`)
    acknowledged.push(title)
    await sleep(50)
  }
  return acknowledged
}

async function titlesOfGoals(platform: Platform): Promise<string[]> {
  const titles: string[] = []
  let cursor: string | null = null
  do {
    const page = (await platform.call('data', 'list_records', {
      ...{ kind: 'goal', limit: 100 },
      ...(cursor === null ? {} : { cursor }),
    })) as { items: Row[]; next_cursor: string | null }
    titles.push(...page.items.map((row) => String(row['title'])))
    cursor = page.next_cursor
  } while (cursor !== null)
  return titles
}

/** Twenty calls, five of them at a time; which of the five comes first decides what is asked for after them. */
const SCRIPT = `
  const seen: unknown[] = []
  const work = () => { let n = 0; for (let i = 0; i < 2e7; i++) n += i % 7; return n }
  const step = async (key: string) => {
    const data = { key, random: Math.random(), at: Date.now(), n: work() }
    await tools.data.append_event({ stream: input.stream, type: 'effect.done', data })
    seen.push(data)
    return key
  }
  const five = ['a', 'b', 'c', 'd', 'e'].map(step)
  const first = await Promise.race(five)
  await Promise.all(five)
  for (let i = 0; i < 15; i++) await step(first + i)
  return seen`

const SCRIPT_KILLS = 3

async function killDuringScript(it: UnderTest, platform: Platform, stream: string): Promise<void> {
  const points = Array.from({ length: SCRIPT_KILLS }, (_, i) => 1 + i * 6 + Math.floor(Math.random() * 5))
  for (const point of points) {
    const done = async () =>
      ((await platform.call('data', 'list_events', { stream, limit: 200 })) as { items: Row[] }).items.length
    while ((await done()) < point) await sleep(10)
    for (const pid of serverPids(it.home)) process.kill(pid, 'SIGKILL')
  }
  process.stderr.write(`script killed after ${points.join(', ')} of 20 calls\n`)
}

function killSuite(settings: () => Record<string, string>): void {
  let it: UnderTest
  beforeAll(async () => {
    it = await underTest({ STORY_PORTAL_LEASE_MS: '2000', ...settings() })
    const { code, stderr } = await it.cli('up', '--json')
    expect([code, stderr]).toEqual([0, expect.any(String)])
  })
  afterAll(() => it.dispose())

  test(`${KILLS} times kill -9 in the middle of a plan: nothing is lost, nothing happens twice`, async () => {
    const platform = new Platform(it)
    const { goal } = (await platform.call('planning', 'create_goal', { title: 'survive' })) as { goal: Row }
    const stream = `effects-${goal['id']}`
    const tasks = layeredTasks(stream)
    const { plan } = (await platform.call('planning', 'create_plan', { goal_id: goal['id'], tasks }, 'plan')) as {
      plan: { id: string }
    }
    await platform.call('planning', 'run_plan', { plan_id: plan.id, mode: 'background' })

    const enough = new AbortController()
    const writing = writeMeanwhile(platform, enough.signal)
    await killDuringPlan(it, platform, plan.id)
    await expectAllOnce(platform, plan.id, stream)
    enough.abort()

    const acknowledged = await writing
    const titles = (await titlesOfGoals(platform)).filter((title) => title !== 'survive')
    expect(titles.toSorted()).toEqual(acknowledged.toSorted())
  })

  test(`a script of twenty calls, killed ${SCRIPT_KILLS} times: the same result, each call once`, async () => {
    const platform = new Platform(it)
    const stream = 'effects-of-script'
    const args = { code: SCRIPT, input: { stream } }
    const [answer] = await Promise.all([
      platform.call('service-hub', 'run_script', args, 'script'),
      killDuringScript(it, platform, stream),
    ])
    const { items } = (await platform.call('data', 'list_events', { stream, limit: 200 })) as { items: Row[] }
    const byKey = (rows: Row[]) => rows.toSorted((a, b) => (String(a['key']) < String(b['key']) ? -1 : 1))
    // Random numbers and times too: every repeat saw what the run before it had seen.
    expect(byKey(items.map((event) => event['data'] as Row))).toEqual(byKey(answer['result'] as Row[]))
    expect(items).toHaveLength(20)
    expect(answer['calls']).toHaveLength(20)
  })

  test('an approved call is carried out once, also when everything is killed right after the decision', async () => {
    const platform = new Platform(it)
    const tool = {
      name: 'pay',
      version: '1.0.0',
      description: 'Asks first.',
      requires_approval: true,
      input_schema: {},
    }
    const code =
      "return await tools.data.append_event({ stream: 'payments', type: 'effect.done', data: { n: input.n } })"
    const source = { source: { type: 'javascript', code }, permissions: { tools: ['data.append_event'] } }
    await platform.call('tool-execution', 'register_tool', { ...tool, ...source }, 'pay')
    for (let n = 0; n < SCRIPT_KILLS; n++) {
      const { approval } = (await pay(platform, n)) as { approval: Row }
      const decision = { approval_id: approval['id'], decision: 'approve' }
      await platform.call('supervision', 'decide_approval', decision, `decide ${n}`)
      for (const pid of serverPids(it.home)) process.kill(pid, 'SIGKILL')
    }
    const payments = async () => {
      const { items } = (await platform.call('data', 'list_events', { stream: 'payments' })) as { items: Row[] }
      return items.map((event) => (event['data'] as Row)['n']).toSorted()
    }
    const all = Array.from({ length: SCRIPT_KILLS }, (_, n) => n)
    await expect.poll(payments, { timeout: 60_000, interval: 200 }).toEqual(all)
    for (const n of all) {
      const again = async () => (await pay(platform, n)) as { invocation?: Row; status?: string }
      // Whether this call finds the outcome or takes the work over from a killed process.
      await expect
        .poll(async () => await again().then(({ invocation, status }) => invocation?.['status'] ?? status), {
          timeout: 60_000,
          interval: 200,
        })
        .toBe('succeeded')
    }
    expect(await payments()).toEqual(all)
  })
}

/** Every other one is a call of a script, which waits for the person with it. */
function pay(platform: Platform, n: number) {
  const asked = { tool: 'pay', arguments: { n } }
  if (n % 2 === 0) return platform.call('tool-execution', 'invoke_tool', asked, `pay ${n}`)
  const code = 'return await tools.tool_execution.invoke_tool(input)'
  return platform.call('service-hub', 'run_script', { code, input: asked }, `pay ${n}`)
}

describe('embedded', () => killSuite(() => ({})))

describe('distributed', () => {
  let postgres: TestPostgres
  let redis: TestRedis
  beforeAll(async () => {
    ;[postgres, redis] = await Promise.all([startPostgres({ own: true }), startRedis({ own: true })])
  })
  afterAll(async () => {
    await Promise.all([postgres.stop(), redis.stop()])
  })
  killSuite(() => ({ DATABASE_URL: postgres.url, REDIS_URL: redis.url }))
})
