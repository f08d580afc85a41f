import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listApps } from '../../tools/cli/pm2.ts'
import { allGone, descendants } from '../../tools/cli/processes.ts'
import { manifests, outcomeOf, root, run, type UnderTest, underTest } from './under-test.ts'

const platformEntry = path.join(root, 'tools/platform.ts')

describe('a platform from nothing to nothing', () => {
  let it: UnderTest
  beforeAll(async () => {
    it = await underTest()
  })
  afterAll(() => it.dispose())

  test('status and call say with exit code 3 that nothing runs', async () => {
    const status = await it.cli('status', '--json')
    expect(status.code).toBe(3)
    expect(new Set(status.json.servers.map((server: { state: string }) => server.state))).toEqual(new Set(['failed']))
    const call = await it.cli('call', 'planning', 'list_goals', '{}', '--json')
    expect(call.code).toBe(3)
    expect(call.json.error).toMatchObject({ code: 'UNAVAILABLE', number: 'E0282' })
    expect(call.json.error.hint).toContain('npm start')
  })

  test('up starts every server and says where they are', async () => {
    const up = await it.cli('up', '--json')
    expect(up.stderr).toBe('')
    expect(up.code).toBe(0)
    expect(up.json.changed).toBe('started')
    expect(up.json.servers.map((server: { name: string }) => server.name).sort()).toEqual(
      manifests()
        .map(({ name }) => name)
        .sort(),
    )
    expect(statSync(path.join(it.home, 'token')).mode & 0o777).toBe(0o600)
    expect(statSync(it.home).mode & 0o077).toBe(0)
  })

  test('a database that can not be reached stops nothing that works', async () => {
    const entry = path.join(root, 'tools/story-portal.js')
    const away = { ...it.env, DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:9/none' }
    const up = await run([entry, 'up', '--json'], away)
    expect(up.code).not.toBe(0)
    expect(up.json.error).toMatchObject({ code: 'UNAVAILABLE', number: 'E0289' })
    expect(up.json.error.message).not.toContain('..')
    expect((await it.cli('status', '--json')).code).toBe(0)
  })

  test('status --json has exactly the promised shape', async () => {
    const { code, json } = await it.cli('status', '--json')
    expect(code).toBe(0)
    expect(Object.keys(json).sort()).toEqual(['home', 'mode', 'servers', 'version'])
    expect(json).toMatchObject({ mode: 'embedded', home: it.home })
    for (const server of json.servers) {
      expect(Object.keys(server).sort()).toEqual(['name', 'port', 'state', 'tools', 'url', 'version'])
      const manifest = manifests().find(({ name }) => name === server.name)
      expect(server).toEqual({
        name: manifest?.name,
        port: it.base + (manifest?.port ?? 0),
        url: `http://127.0.0.1:${it.base + (manifest?.port ?? 0)}/mcp`,
        version: manifest?.version,
        state: 'ready',
        tools: manifest?.tools.length,
      })
    }
  })

  test('a second up changes nothing and restarts nothing', async () => {
    const before = it.processes()
    const { code, json } = await it.cli('up', '--json')
    expect(code).toBe(0)
    expect(json.changed).toBe('nothing')
    expect(it.processes().filter((pid) => before.includes(pid))).toEqual(before)
  })

  test('up finds the running platform although nobody names its ports, and so does call', async () => {
    const { STORY_PORTAL_PORT_BASE: _, ...env } = it.env
    const launcher = path.join(root, 'tools/story-portal.js')
    const up = await run([launcher, 'up', '--json'], env)
    expect(up.json.changed).toBe('nothing')
    const call = await run([launcher, 'planning', 'list-goals', '--limit', '1', '--json'], env)
    expect(call.code).toBe(0)
    expect(call.json.items).toEqual([])
  })

  test('call prints the result, and each kind of failure has its exit code', async () => {
    const good = await it.cli('call', 'planning', 'create_goal', '{"title": "Ship it"}', '--json')
    expect(good.code).toBe(0)
    expect(good.json.goal).toMatchObject({ title: 'Ship it', status: 'pending' })

    const refused = await it.cli('call', 'planning', 'get_goal', '{"goal_id": "gol_none"}', '--json')
    expect(refused.code).toBe(1)
    expect(refused.json.error).toMatchObject({ code: 'NOT_FOUND', retryable: false })

    const invalid = await it.cli('call', 'planning', 'create_goal', '{"titel": "x"}', '--json')
    expect(invalid.code).toBe(1)
    expect(invalid.json.error.details.faults.map((fault: { path: string }) => fault.path)).toContain('title')

    for (const args of [
      ['call', 'planning'],
      ['call', 'planning', 'create_goal', '{oops'],
      ['nonsense'],
      ['status', '--bad'],
      ['logs', '--level', 'loud'],
      ['logs', '--lines', '-5'],
    ]) {
      const wrong = await it.cli(...args, '--json')
      expect([args, wrong.code]).toEqual([args, 2])
      expect(wrong.json.error).toMatchObject({ code: 'INVALID_INPUT' })
    }
    for (const [args, number, hint] of [
      [['plannin', 'list_goals'], 'E0290', 'Did you mean planning?'],
      [['nowhere', 'x'], 'E0290', 'service-hub'],
      [['planning', 'list_goal'], 'E0291', 'list_goals'],
    ] as const) {
      const unknown = await it.cli('call', ...args, '{}', '--json')
      expect([args, unknown.code]).toEqual([args, 2])
      expect(unknown.json.error).toMatchObject({ code: 'NOT_FOUND', number, hint: expect.stringContaining(hint) })
    }
    const elsewhere = '{"server": "nowhere", "tool": "x", "arguments": {}}'
    expect((await it.cli('call', 'service-hub', 'call_tool', elsewhere, '--json')).code).toBe(1)
  })

  test('the correlation id of a refusal is printed, and finds in the log what was refused', async () => {
    const refused = await it.cli('call', 'planning', 'get_goal', '{"goal_id": "gol_none"}')
    expect(refused.code).toBe(1)
    const id = /story-portal logs --correlation (\S+)"/.exec(refused.stderr)?.[1] ?? ''
    const logs = await it.cli('logs', '--correlation', id, '--json')
    expect(JSON.parse(logs.stdout)).toMatchObject({
      tool: 'get_goal',
      correlation_id: id,
      error: { code: 'NOT_FOUND' },
    })

    const invalid = await it.cli('call', 'planning', 'create_goal', '{"titel": "x"}', '--json')
    const found = await it.cli('logs', '--correlation', invalid.json.error.correlation_id, '--json')
    expect(JSON.parse(found.stdout)).toMatchObject({ tool: 'create_goal', error: { number: 'E0001' } })

    const url = `http://127.0.0.1:${it.base + 5}/mcp`
    const answer = await fetch(url, { method: 'POST', headers: { authorization: 'Bearer no' }, body: '{}' })
    const { error } = (await answer.json()) as { error: { number: string; correlation_id: string } }
    expect(error.number).toBe('E0002')
    const denied = await it.cli('logs', '--correlation', error.correlation_id, '--json')
    expect(JSON.parse(denied.stdout)).toMatchObject({ error: { number: 'E0002' } })
  })

  test('the token of another home is not refused, but told that its platform does not run', async () => {
    const other = await underTest({ STORY_PORTAL_PORT_BASE: String(it.base) })
    writeFileSync(path.join(other.home, 'token'), `spt_${'x'.repeat(43)}\n`)
    const { code, json } = await other.cli('call', 'planning', 'list_goals', '{}', '--json')
    await other.dispose()
    expect(code).toBe(3)
    expect(json.error).toMatchObject({ number: 'E0282', hint: expect.stringContaining(it.home) })
    expect(json.error.message).toContain(other.home)
  })

  test('a tool is a command of its own, with its fields as flags', async () => {
    const made = await it.cli('planning', 'create-goal', '--title', 'By flags', '--constraints', '{"a": 1}', '--json')
    expect(made.code).toBe(0)
    expect(made.json.goal).toMatchObject({ title: 'By flags', constraints: { a: 1 } })
    const help = await it.cli('planning', 'create_goal', '--help')
    expect(help.code).toBe(0)
    expect(help.stdout).toContain('--title')
  })

  test('a program on a port of its, from another home: up of that home names this one', async () => {
    const other = await underTest({ STORY_PORTAL_PORT_BASE: String(it.base) })
    const { code, json } = await other.cli('up', '--json')
    await other.dispose()
    expect(code).toBe(1)
    expect(json.error.number).toBe('E0283')
    expect(json.error.message).toContain(it.home)
    expect(json.error.hint).toContain('STORY_PORTAL_PORT_BASE=')
  })

  test('a killed server process comes back by itself and keeps what it knew', async () => {
    const [entry] = it.processes().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('platform.ts'))
    expect(entry).toBeDefined()
    process.kill(entry ?? 0, 'SIGKILL')
    await expect.poll(async () => (await it.cli('status', '--json')).code, { timeout: 60_000, interval: 300 }).toBe(0)
    const { json } = await it.cli('call', 'planning', 'list_goals', '{}', '--json')
    expect(json.items.map((goal: { title: string }) => goal.title).sort()).toEqual(['By flags', 'Ship it'])
  })

  test('up while a killed server is on its way back waits for it and does not begin its start anew', async () => {
    const before = await listApps(it.home)
    for (const { pid } of before) process.kill(pid, 'SIGKILL')
    const up = await it.cli('up', '--json')
    expect([up.code, up.json?.changed]).toEqual([0, 'nothing'])
    const restarts = (apps: { restarts: number }[]) => apps.map((app) => app.restarts)
    expect(restarts(await listApps(it.home))).toEqual(restarts(before).map((count) => count + 1))
  })

  test('a killed supervisor: the servers go on, up puts them under a new one and says why', async () => {
    const supervisor = Number(readFileSync(path.join(it.home, 'pm2', 'pm2.pid'), 'utf8'))
    process.kill(supervisor, 'SIGKILL')
    expect(await allGone([supervisor], 5_000)).toBe(true)
    expect((await it.cli('status', '--json')).code).toBe(0)
    const before = it.processes()
    const up = await it.cli('up', '--json')
    expect(up.json).toMatchObject({ changed: 'restarted', why: ['its supervisor is gone'] })
    expect(await allGone(before, 1_000)).toBe(true)
  })

  test('settings that differ restart it, with the reason', async () => {
    const launcher = path.join(root, 'tools/story-portal.js')
    const up = await run([launcher, 'up', '--json'], { ...it.env, STORY_PORTAL_LEASE_MS: '20000' })
    expect(up.code).toBe(0)
    expect(up.json).toMatchObject({ changed: 'restarted', why: ['the settings changed'] })
  })

  test('doctor finds nothing wrong', async () => {
    const { code, json } = await it.cli('doctor', '--json')
    expect(json.checks.filter((check: { state: string }) => check.state === 'failed')).toEqual([])
    expect(code).toBe(0)
    expect(json.checks.map((check: { name: string }) => check.name)).toEqual(
      expect.arrayContaining(['node', 'mode', 'home', 'disk', 'ports', 'database', 'pgvector', 'redis']),
    )
  })

  test('logs are readable lines of every process', async () => {
    const text = await it.cli('logs', '--lines', '500')
    expect(text.code).toBe(0)
    expect(text.stdout).toMatch(/INFO {2}platform ready/)
    const lines = (await it.cli('logs', '--lines', '500', '--json')).stdout.trim().split('\n')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('time')
  })

  test('down ends everything, says so, and can be repeated', async () => {
    const before = it.processes()
    expect(before.length).toBeGreaterThan(1)
    const { code, json } = await it.cli('down', '--json')
    expect(code).toBe(0)
    expect(json.ended).toBeGreaterThanOrEqual(2)
    expect(await allGone(before, 5_000)).toBe(true)
    expect(it.processes()).toEqual([])
    expect((await it.cli('down', '--json')).json.ended).toBe(0)
  })

  test('two that start it at once start it once', async () => {
    const both = await Promise.all([it.cli('up', '--json'), it.cli('up', '--json')])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(both.map(({ json }) => json.changed).sort()).toEqual(['nothing', 'started'])
    expect((await it.cli('down')).code).toBe(0)
  })

  test('dev runs it in the foreground until Ctrl-C, also through the launcher of an old Node', async () => {
    const old = path.join(it.home, 'old.mjs')
    writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })")
    const launcher = path.join(root, 'tools/story-portal.js')
    const child = spawn(process.execPath, ['--import', old, launcher, 'dev'], {
      cwd: root,
      env: it.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = outcomeOf(child)
    await expect.poll(async () => (await it.cli('status', '--json')).code, { timeout: 60_000, interval: 300 }).toBe(0)
    const processes = descendants(child.pid ?? 0)
    expect(processes.length).toBeGreaterThan(2)
    child.kill('SIGINT')
    const { stdout } = await ended
    expect(stdout).toContain('platform ready')
    expect(await allGone(processes, 10_000)).toBe(true)
  })
})

describe('what keeps it from starting is said plainly', () => {
  let it: UnderTest
  beforeAll(async () => {
    it = await underTest()
  })
  afterAll(() => it.dispose())
  const launcher = path.join(root, 'tools/story-portal.js')

  test('a port that another program holds', async () => {
    const planning = manifests().find(({ name }) => name === 'planning')
    const port = it.base + (planning?.port ?? 0)
    // It accepts and never answers, as a program does that speaks something else.
    const held: Socket[] = []
    const holder = createServer((socket) => held.push(socket)).listen(port, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { code, json } = await it.cli('up', '--json')
    const entry = await run([platformEntry], it.env)
    for (const socket of held) socket.destroy()
    await new Promise((resolve) => holder.close(resolve))
    expect(code).toBe(1)
    expect(json.error).toMatchObject({
      number: 'E0283',
      message: `Port ${port} on 127.0.0.1 is taken by another program.`,
    })
    expect(json.error.hint).toContain(`STORY_PORTAL_PORT_BASE=${it.base + 1000} npm start`)
    expect(entry.code).toBe(1)
    expect(entry.stderr).toContain(`Port ${port}`)
  })

  test('a bad configuration: exit code 78 and every bad name, never a value', async () => {
    const bad = {
      ...it.env,
      STORY_PORTAL_LEASE_MS: 'swordfish',
      STORY_PORTAL_PORT_BAZE: '1',
      DATABASE_URL: 'mysql://u:swordfish@x',
    }
    for (const args of [[launcher, 'up', '--json'], [platformEntry], [path.join(root, 'tools/mcp.js'), 'planning']]) {
      const { code, stdout, stderr } = await run(args, bad)
      expect([args, code]).toEqual([args, 78])
      for (const name of ['STORY_PORTAL_LEASE_MS', 'STORY_PORTAL_PORT_BAZE', 'DATABASE_URL'])
        expect(stdout + stderr).toContain(name)
      expect(stdout + stderr).not.toContain('swordfish')
    }
  })

  test('doctor names every bad setting and checks what does not stand on it', async () => {
    const bad = {
      STORY_PORTAL_LEASE_MS: 'swordfish',
      STORY_PORTAL_PORT_BAZE: '1',
      DATABASE_URL: 'mysql://u:swordfish@x',
    }
    const { code, stdout, json } = await run([launcher, 'doctor', '--json'], { ...it.env, ...bad })
    expect(code).toBe(1)
    expect(stdout).not.toContain('swordfish')
    const found = new Map(json.checks.map((check: { name: string }) => [check.name, check]))
    expect(found.get('configuration')).toMatchObject({ state: 'failed' })
    for (const name of Object.keys(bad))
      expect(found.get('configuration')).toHaveProperty('detail', expect.stringContaining(name))
    expect(found.get('database')).toMatchObject({ state: 'warning', detail: expect.stringContaining('DATABASE_URL') })
    for (const name of ['node', 'home', 'disk', 'ports']) expect(found.get(name)).toMatchObject({ state: 'ok' })
  })

  test('a data directory that can not be written', async () => {
    const file = path.join(it.home, 'a-file')
    writeFileSync(file, '')
    for (const home of [file, path.join(file, 'below'), '/proc/nowhere', '/proc/nowhere/below']) {
      const { code, json } = await run([launcher, 'up', '--json'], { ...it.env, STORY_PORTAL_HOME: home })
      expect(code).toBe(1)
      expect(json.error).toMatchObject({ number: 'E0285' })
      expect(json.error.message).toContain(home)
      const entry = await run([platformEntry], { ...it.env, STORY_PORTAL_HOME: home })
      expect([entry.code, entry.stderr]).toEqual([1, expect.stringContaining('E0285')])
    }
  })

  test('nothing installed: the launchers say what to run and exit 78', async () => {
    const copy = path.join(it.home, 'copy', 'tools')
    mkdirSync(copy, { recursive: true })
    for (const file of ['launch.js', 'story-portal.js', 'mcp.js']) {
      writeFileSync(path.join(copy, file), readFileSync(path.join(root, 'tools', file)))
    }
    writeFileSync(path.join(it.home, 'copy', 'package.json'), '{"type": "module"}')
    for (const entry of ['story-portal.js', 'mcp.js']) {
      const { code, stdout, stderr } = await run([path.join(copy, entry), 'status'], it.env, { cwd: it.home })
      expect(code).toBe(78)
      expect(stdout).toBe('')
      expect(stderr).toContain('cd copy && npm start')
    }
  })

  test('under a Node that is too old the launcher goes on with the bundled one, and passes its exit code on', async () => {
    const old = path.join(it.home, 'old.mjs')
    writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })")
    const { code, json } = await run(['--import', old, launcher, 'status', '--json'], it.env)
    expect(code).toBe(3)
    expect(json.home).toBe(it.home)
  })
})
