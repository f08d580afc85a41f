import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open } from '@story-portal/shared/testing'
import { afterAll, expect, test } from 'vitest'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const UPDATES = {
  goal: 'Ship it',
  next_action: 'Run the tests of the lexer',
  constraints: ['small'],
  decisions: Array.from({ length: 30 }, (_, i) => ({ decision: `decision ${i} ${'x'.repeat(60)}`, reason: 'r' })),
  done_steps: ['parsed'],
  notes: 'long ago',
}

test('a reviewer is given what a reviewer needs, the newest decisions within its share, and told what was left out', async () => {
  const { call } = await open('context-orchestrator')
  await call('save_context_snapshot', { updates: UPDATES })
  const { role, task, omitted, not_given } = await call('get_role_context', { role: 'reviewer', max_tokens: 500 })
  expect(role).toMatchObject({ name: 'reviewer', title: 'Reviewer', source: 'shipped' })
  expect(role.must_not).toContain('Mend the findings in the same pass.')
  expect(Object.keys(task.checkpoint)).toEqual(
    expect.arrayContaining(['goal', 'constraints', 'decisions', 'done_steps']),
  )
  expect(task.checkpoint.decisions.at(-1).decision).toMatch(/^decision 29/)
  expect(omitted).toEqual([{ part: 'decisions', items: 30 - task.checkpoint.decisions.length }])
  expect(not_given).toEqual(expect.arrayContaining(['next_action', 'notes']))
  expect(bytesOf(role, task)).toBeLessThanOrEqual(2_000)
})

/** What counts in the budget: what the role is told, and what it is given of the task. */
function bytesOf({ name: _n, title: _t, source: _s, ...told }: object & Loose, task: { checkpoint: object }): number {
  return JSON.stringify(told).length + JSON.stringify(task.checkpoint).length
}
type Loose = Record<string, unknown>

test('a small budget cuts what the role is told too, from the end, and says so; half is left to the task', async () => {
  const { call } = await open('context-orchestrator')
  await call('save_context_snapshot', { updates: UPDATES })
  const whole = (await call('get_role_context', { role: 'implementer' })).role
  for (const tool of ['get_role_context', 'switch_role']) {
    const { role, task, omitted } = await call(tool, { role: 'implementer', max_tokens: 120 })
    expect(bytesOf(role, task)).toBeLessThanOrEqual(480)
    expect(role).toMatchObject({ name: 'implementer', purpose: whole.purpose })
    expect(role).not.toHaveProperty('gate')
    expect(role.must_not).toEqual(whole.must_not.slice(0, role.must_not.length))
    const cut = new Map((omitted as { part: string; items: number }[]).map(({ part, items }) => [part, items]))
    expect(cut.get('must_not') ?? 0).toBe(whole.must_not.length - role.must_not.length)
    expect(cut.get('must')).toBe(whole.must.length - (role.must ?? []).length)
    expect(cut.get('gate')).toBe(1)
    expect(JSON.stringify(task.checkpoint).length).toBeGreaterThan(100)
  }
})

test('a role can be read before anything was saved, and in a project that is not there', async () => {
  const { call, callError } = await open('context-orchestrator')
  for (const more of [{}, { project: 'nowhere' }])
    expect(await call('get_role_context', { role: 'reviewer', ...more })).toMatchObject({
      role: { name: 'reviewer', must: expect.any(Array), gate: { min_score: 75 } },
      ...{ task: null, omitted: [], not_given: [] },
    })
  expect(await callError('get_role_context', { role: 'reviewer', task_id: 'tcx_nobody' })).toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(await callError('switch_role', { role: 'reviewer' })).toMatchObject({ number: 'E14001' })
})

test('without a role the roles are listed; an unknown one is refused with their names', async () => {
  const { call, callError } = await open('context-orchestrator')
  const { roles } = await call('get_role_context')
  expect(roles.length).toBeGreaterThanOrEqual(10)
  const fault = await callError('get_role_context', { role: 'wizard' })
  expect(fault).toMatchObject({ code: 'NOT_FOUND' })
  expect(fault.hint).toContain('reviewer')
})

const ROLE = {
  ...{ title: 'Our reviewer', purpose: 'p', needs: [{ part: 'goal' }], must: ['m'], must_not: ['n'] },
  ...{ hands_over: ['goal'], gate: { min_score: 0, blocking: [] } },
}

/** A client in a project of its own. */
async function project() {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'story-portal-roles-')))
  folders.push(root)
  const own = path.join(root, '.story-portal/roles')
  const opened = await open('context-orchestrator', {
    caller: { client: { surface: 'stdio', name: 't', cwd: root } },
  })
  const write = (name: string, value: unknown) => {
    mkdirSync(own, { recursive: true })
    writeFileSync(path.join(own, name), typeof value === 'string' ? value : JSON.stringify(value))
  }
  return { ...opened, root, own, write }
}

test("a project's own roles go before the shipped; a faulty file is named with its fault, and the others still work", async () => {
  const { call, callError, own, write } = await project()
  write('reviewer.json', ROLE)
  write('tester.json', { ...ROLE, needs: [{ part: 'goal' }, { part: 'nothing' }] })
  write('planner.json', '{ no')
  write('Our Own.json', ROLE)
  symlinkSync('/etc/passwd', path.join(own, 'operator.json'))
  await call('save_context_snapshot', { updates: UPDATES })
  const { role, faulty } = await call('get_role_context', { role: 'reviewer' })
  expect(role).toMatchObject({ title: 'Our reviewer', source: 'project' })
  expect(faulty.map(({ file }: { file: string }) => path.basename(file))).toEqual([
    'Our Own.json',
    'operator.json',
    'planner.json',
    'tester.json',
  ])
  const fault = await callError('get_role_context', { role: 'tester' })
  expect(fault).toMatchObject({ number: 'E14016', details: { faults: [{ path: 'needs[1].part' }] } })
  expect(await call('get_role_context', { role: 'debugger' })).toMatchObject({ role: { source: 'shipped' } })
})

test('a folder of roles that leads out of the project, or nowhere, is reported, and no shipped role stands in for it', async () => {
  for (const target of [tmpdir(), '/nowhere/at/all']) {
    const { call, callError, root, own } = await project()
    mkdirSync(path.join(root, '.story-portal'))
    symlinkSync(target, own)
    const { roles, faulty } = await call('get_role_context')
    expect({ roles, faulty }).toMatchObject({ roles: [], faulty: [{ file: '.story-portal/roles' }] })
    await call('save_context_snapshot', { updates: UPDATES })
    for (const tool of ['get_role_context', 'switch_role', 'checkpoint_quality'])
      expect(await callError(tool, { role: 'reviewer' })).toMatchObject({
        number: 'E14016',
        details: { faults: [{ message: expect.stringMatching(/leads out of the project|no folder/) }] },
      })
  }
})

test('of more than 50 files of roles the first 50 are read; that there are more is said, also for a role among them', async () => {
  const { call, callError, write } = await project()
  for (let i = 0; i < 50; i++) write(`own-${i}.json`, ROLE)
  expect((await call('get_role_context')).faulty).toEqual([])
  write('tester.json', ROLE)
  const { roles, faulty } = await call('get_role_context')
  expect(faulty).toMatchObject([
    { file: '.story-portal/roles', faults: [{ message: expect.stringContaining('51 files') }] },
  ])
  expect(roles.filter(({ source }: { source: string }) => source === 'project')).toHaveLength(50)
  expect(await callError('get_role_context', { role: 'tester' })).toMatchObject({ number: 'E14016' })
  expect(await call('get_role_context', { role: 'reviewer' })).toMatchObject({
    role: { source: 'shipped' },
    faulty: [{}],
  })
})
