import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const KILLS = 3
const LAYERS = 8
const WIDTH = 4

const home = mkdtempSync(path.join(tmpdir(), 'story-portal-kill-'))
const children = new Set<ChildProcess>()

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

interface Row {
  [field: string]: unknown
}

/** One process that carries out plans, and a line to it. */
class Platform {
  #child: ChildProcess | undefined
  #next = 0
  readonly #waiting = new Map<number, (answer: Row) => void>()

  async start(): Promise<void> {
    const child = spawn(process.execPath, [fileURLToPath(new URL('fixtures/plan-host.ts', import.meta.url))], {
      env: {
        PATH: process.env['PATH'],
        STORY_PORTAL_HOME: home,
        STORY_PORTAL_LEASE_MS: '2000',
        STORY_PORTAL_LOG_LEVEL: 'warn',
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.add(child)
    this.#child = child
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the platform ended with ${code} before it was ready`)))
      createInterface({ input: child.stdout }).on('line', (line) => {
        const message = JSON.parse(line) as Row & { id: number }
        if (message['ready']) resolve()
        else this.#waiting.get(message.id)?.(message)
      })
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    children.delete(child)
  }

  call(server: string, tool: string, args: object): Promise<Row> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id)
        if (error === undefined) resolve(result as Row)
        else reject(new Error(JSON.stringify(error)))
      })
      this.#child?.stdin?.write(`${JSON.stringify({ id, server, tool, args })}\n`)
    })
  }
}

/** Every task leaves two effects: an event by a granted tool in code, or a record by a tool of the platform. No retries at all. */
function layer(index: number): Row[] {
  const before = index === 0 ? [] : Array.from({ length: WIDTH }, (_, i) => `t${index - 1}_${i}`)
  return Array.from({ length: WIDTH }, (_, i) => {
    const key = `t${index}_${i}`
    if (i % 2 === 1) {
      const data = { target_kind: 'task', target_id: key, comment: key }
      return { key, kind: 'tool', tool: 'data.create_record', depends_on: before, input: { kind: 'feedback', data } }
    }
    const code = `
      await tools.data.append_event({ stream: 'effects', type: 'effect.done', data: { key: input.key } })
      const until = Date.now() + 150
      while (Date.now() < until) {}
      await tools.data.create_record({ kind: 'feedback', data: { target_kind: 'task', target_id: input.key, comment: input.key } })
      return input.key`
    const permissions = { tools: ['data.append_event', 'data.create_record'] }
    return { key, kind: 'code', depends_on: before, input: { key }, permissions, code }
  })
}

async function completed(platform: Platform, plan_id: string): Promise<number> {
  const { plan } = (await platform.call('planning', 'get_plan', { plan_id })) as { plan: { progress: Row } }
  return Number(plan.progress['completed'])
}

test('a platform killed in the middle of a plan, three times, finishes it with every effect once', async () => {
  const tasks = Array.from({ length: LAYERS }, (_, i) => layer(i)).flat()
  const keys = tasks.map(({ key }) => String(key)).sort()
  const platform = new Platform()
  await platform.start()
  const { goal } = (await platform.call('planning', 'create_goal', { title: 'Survive' })) as { goal: Row }
  const { plan } = (await platform.call('planning', 'create_plan', { goal_id: goal['id'], tasks })) as { plan: Row }
  const plan_id = String(plan['id'])
  const { run_id } = await platform.call('planning', 'run_plan', { plan_id, mode: 'background' })

  for (let kill = 1; kill <= KILLS; kill++) {
    const threshold = Math.floor((tasks.length * kill) / (KILLS + 2))
    while ((await completed(platform, plan_id)) < threshold) await sleep(10)
    await platform.kill()
    await platform.start()
  }

  const ended = (await platform.call('planning', 'get_plan', { plan_id, mode: 'wait' })) as { plan: Row; tasks: Row[] }
  expect(ended.plan).toMatchObject({ status: 'completed', progress: { completed: tasks.length } })
  expect(ended.tasks.map((task) => [task['status'], task['attempts']])).toEqual(tasks.map(() => ['completed', 1]))

  const events = (await platform.call('data', 'list_events', { stream: 'effects', limit: 200 })) as { items: Row[] }
  const byCode = tasks.filter(({ kind }) => kind === 'code').map(({ key }) => String(key))
  expect(events.items.map((event) => (event['data'] as Row)['key']).sort()).toEqual(byCode.sort())
  expect(events.items.map((event) => event['version'])).toEqual(events.items.map((_, i) => i + 1))
  const records = (await platform.call('data', 'list_records', { kind: 'feedback', limit: 200 })) as { items: Row[] }
  expect(records.items.map((record) => record['comment']).sort()).toEqual(keys)

  const { run, steps } = (await platform.call('runtime', 'get_run', { run_id, limit: 200 })) as {
    run: Row
    steps: Row[]
  }
  expect(run).toMatchObject({ status: 'succeeded' })
  const invocations = steps.map((step) => (step['invocations'] as Row[]).map(({ status }) => status))
  expect(invocations).toEqual(tasks.map(() => ['succeeded']))
  await platform.kill()
})
