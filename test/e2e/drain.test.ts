import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localUser } from '../../shared/auth/index.ts'
import { loadConfig } from '../../shared/config/index.ts'
import { listRecords } from '../../shared/data/index.ts'
import { openDatabase } from '../../shared/db/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { allGone } from '../../tools/cli/processes.ts'
import { type Outcome, root, run, type UnderTest, underTest } from './under-test.ts'

/** Much longer than any wait here: what is not handed back would not be seen again. */
const LEASE_MS = 900_000
const DRAIN_MS = 5_000

const busy = (ms: number, result: string) =>
  `const end = Date.now() + ${ms}; while (Date.now() < end) {} return '${result}'`

describe('the platform is stopped under PM2 while a call and a task run', () => {
  let it: UnderTest
  beforeAll(async () => {
    it = await underTest({
      STORY_PORTAL_LEASE_MS: String(LEASE_MS),
      STORY_PORTAL_DRAIN_MS: String(DRAIN_MS),
      STORY_PORTAL_SANDBOX_WORKERS: '3',
    })
    expect((await it.cli('up', '--json')).code).toBe(0)
  })
  afterAll(() => it.dispose())

  const call = async (server: string, tool: string, args: object): Promise<Outcome> =>
    it.cli('call', server, tool, JSON.stringify(args), '--json')
  const ok = async (server: string, tool: string, args: object) => {
    const { code, json, stderr } = await call(server, tool, args)
    expect([tool, code, stderr]).toEqual([tool, 0, ''])
    return json
  }
  const taskOf = async (plan_id: string) => (await ok('planning', 'get_plan', { plan_id })).tasks[0]

  /** A plan whose one task runs now, for longer than the drain. */
  async function planWithRunningTask(): Promise<string> {
    const { goal } = await ok('planning', 'create_goal', { title: 'Outlive a restart' })
    const tasks = [{ key: 'slow', kind: 'code', code: busy(12_000, 'done') }]
    const { plan } = await ok('planning', 'create_plan', { goal_id: goal.id, tasks })
    await ok('planning', 'run_plan', { plan_id: plan.id, mode: 'background' })
    await expect.poll(async () => (await taskOf(plan.id)).status, { timeout: 60_000, interval: 300 }).toBe('running')
    return plan.id
  }

  /** Calls that are under way; each must end with an answer. */
  async function callsUnderWay(): Promise<{ short: Promise<Outcome>; long: Promise<Outcome> }> {
    const long = call('tool-execution', 'run_code', { code: busy(25_000, 'too late') })
    const short = call('tool-execution', 'run_code', { code: busy(2_500, 'in time') })
    const open = async () => (await ok('tool-execution', 'list_invocations', { status: 'running' })).items.length
    await expect.poll(open, { timeout: 60_000, interval: 300 }).toBeGreaterThanOrEqual(3)
    return { short, long }
  }

  async function endsWell(planId: string, { short, long }: Awaited<ReturnType<typeof callsUnderWay>>): Promise<void> {
    const [early, late] = await Promise.all([short, long])
    if (early.code === 0) expect(early.json.result).toBe('in time')
    else expect(early.json.error).toMatchObject({ number: expect.stringMatching(/^E\d{4,5}$/) })
    expect([1, 3]).toContain(late.code)
    expect(late.json.error).toMatchObject({ number: expect.stringMatching(/^E\d{4,5}$/), hint: expect.any(String) })
    await expect.poll(async () => (await taskOf(planId)).status, { timeout: 120_000, interval: 500 }).toBe('completed')
    expect(await taskOf(planId)).toMatchObject({ output: 'done', error: null })
  }

  test('stop and start: calls are answered or told, the task goes on at once in the next process', async () => {
    const planId = await planWithRunningTask()
    const calls = await callsUnderWay()
    const before = it.processes()
    const down = await it.cli('down', '--json')
    expect([down.code, down.stderr]).toEqual([0, ''])
    expect(await allGone(before, 5_000)).toBe(true)
    // By the process that ended, not by the next one's search for what its forerunners held.
    expect(await storedTask(it, planId)).toMatchObject({ status: 'ready', lease_owner: null })
    expect((await it.cli('up', '--json')).json.changed).toBe('started')
    await endsWell(planId, calls)
  })

  test('a restart for new settings does the same', async () => {
    const planId = await planWithRunningTask()
    const calls = await callsUnderWay()
    const launcher = path.join(root, 'tools/story-portal.js')
    const up = await run([launcher, 'up', '--json'], { ...it.env, STORY_PORTAL_RECONCILE_MS: '1500' })
    expect(up.json).toMatchObject({ changed: 'restarted', why: ['the settings changed'] })
    await endsWell(planId, calls)
  })
})

/** What the database of a platform that does not run holds of a plan's only task. */
async function storedTask({ env }: UnderTest, plan_id: string) {
  const log = createLogger({ name: 'test', level: 'silent', destination: { write: () => undefined } })
  const db = await openDatabase(loadConfig({ env, root }), { log })
  try {
    const { tenant_id, subject } = localUser({ surface: 'test', name: 'vitest' })
    const scope = { kind: 'tenant', tenant_id, subject, source: 'test', correlation_id: 'drain' } as const
    return (await db.tx(scope, (tx) => listRecords(tx, 'task', { filter: { plan_id } }), { readOnly: true })).items[0]
  } finally {
    await db.close()
  }
}
