import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../shared/testing/postgres.ts'
import { startRedis, type TestRedis } from '../../shared/testing/redis.ts'
import { allGone, commandLine } from '../../tools/cli/processes.ts'
import { doMainJob } from './main-job.ts'
import {
  type Answer,
  type AnyClient,
  callOver,
  type Era,
  httpClient,
  manifests,
  mcpJson,
  stdioClient,
  type UnderTest,
  underTest,
} from './under-test.ts'

const eras: Era[] = ['v1', 'v2']

describe('one process per server over PostgreSQL and Redis', () => {
  let postgres: TestPostgres
  let redis: TestRedis
  let it: UnderTest
  beforeAll(async () => {
    postgres = await startPostgres({ own: true })
    redis = await startRedis({ own: true })
    it = await underTest({ DATABASE_URL: postgres.url, REDIS_URL: redis.url })
  })
  afterAll(async () => {
    await it?.dispose()
    await postgres?.stop()
    await redis?.stop()
  })

  const serverProcess = (name: string) =>
    it.processes().find((pid) => {
      const entry = path.join(it.home, 'run', 'processes', `${name}-${pid}.json`)
      return commandLine(pid).includes('serve.ts') && exists(entry)
    })

  test('an entry started by a client alone brings the platform up with it', async () => {
    const client = await stdioClient('service-hub', it.env, 'v2')
    const answer = (await client.callTool({
      name: 'call_tool',
      arguments: { server: 'planning', tool: 'list_goals', arguments: {} },
    })) as Answer
    expect(answer.structuredContent).toMatchObject({ items: [] })
    await client.close()
    expect((await it.cli('status', '--json')).code).toBe(0)
    expect((await it.cli('down')).code).toBe(0)
  })

  test('up migrates, starts each server and is quick the second time', async () => {
    const up = await it.cli('up', '--json')
    expect([up.code, up.stderr]).toEqual([0, ''])
    expect(up.json).toMatchObject({ mode: 'distributed', changed: 'started' })
    for (const { name } of manifests()) expect([name, serverProcess(name)]).toEqual([name, expect.any(Number)])
    const again = await it.cli('up', '--json')
    expect(again.json.changed).toBe('nothing')
  })

  test.each(eras)('%s over stdio: the main job', async (era) => {
    const clients: Record<string, AnyClient> = {}
    for (const name of Object.keys(mcpJson())) clients[name] = await stdioClient(name, it.env, era)
    expect((await doMainJob(callOver(clients), `distributed stdio ${era}`)).run_id).toMatch(/^run_/)
    await Promise.all(Object.values(clients).map((client) => client.close()))
  })

  test.each(eras)('%s over HTTP: the main job', async (era) => {
    const clients: Record<string, AnyClient> = {}
    for (const { name, port } of manifests()) clients[name] = await httpClient(it, port, era)
    expect((await doMainJob(callOver(clients), `distributed http ${era}`)).run_id).toMatch(/^run_/)
    await Promise.all(Object.values(clients).map((client) => client.close()))
  })

  test('a killed server comes back alone; the others never stopped', async () => {
    const before = Object.fromEntries(manifests().map(({ name }) => [name, serverProcess(name)]))
    process.kill(before['planning'] ?? 0, 'SIGKILL')
    await expect
      .poll(() => serverProcess('planning') ?? before['planning'], { timeout: 60_000 })
      .not.toBe(before['planning'])
    await expect.poll(async () => (await it.cli('status', '--json')).code, { timeout: 60_000, interval: 300 }).toBe(0)
    for (const { name } of manifests()) if (name !== 'planning') expect(serverProcess(name)).toBe(before[name])
  })

  test('doctor sees PostgreSQL and Redis', async () => {
    const { code, json } = await it.cli('doctor', '--json')
    expect(json.checks.filter((check: { state: string }) => check.state === 'failed')).toEqual([])
    expect(code).toBe(0)
    const redisCheck = json.checks.find((check: { name: string }) => check.name === 'redis')
    expect(redisCheck).toMatchObject({ state: 'ok', detail: expect.stringContaining('answers at 127.0.0.1') })
    expect(JSON.stringify(json)).not.toContain(new URL(postgres.url).password)
  })

  test('down ends all of it', async () => {
    const before = it.processes()
    expect(before.length).toBeGreaterThan(manifests().length)
    expect((await it.cli('down')).code).toBe(0)
    expect(await allGone(before, 5_000)).toBe(true)
  })
})

function exists(file: string): boolean {
  try {
    return readFileSync(file).length > 0
  } catch {
    return false
  }
}
