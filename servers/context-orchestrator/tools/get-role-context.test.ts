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
  const { role, task, omitted, not_given } = await call('get_role_context', { role: 'reviewer', max_tokens: 400 })
  expect(role).toMatchObject({ name: 'reviewer', title: 'Reviewer', source: 'shipped' })
  expect(role.must_not).toContain('Mend the findings in the same pass.')
  expect(Object.keys(task.checkpoint)).toEqual(
    expect.arrayContaining(['goal', 'constraints', 'decisions', 'done_steps']),
  )
  expect(task.checkpoint.decisions.at(-1).decision).toMatch(/^decision 29/)
  expect(omitted).toEqual([{ part: 'decisions', items: 30 - task.checkpoint.decisions.length }])
  expect(not_given).toEqual(expect.arrayContaining(['next_action', 'notes']))
  expect(JSON.stringify(task.checkpoint).length).toBeLessThanOrEqual(1_600)
})

test('without a role the roles are listed; an unknown one is refused with their names', async () => {
  const { call, callError } = await open('context-orchestrator')
  const { roles } = await call('get_role_context')
  expect(roles.length).toBeGreaterThanOrEqual(10)
  const fault = await callError('get_role_context', { role: 'wizard' })
  expect(fault).toMatchObject({ code: 'NOT_FOUND' })
  expect(fault.hint).toContain('reviewer')
})

test("a project's own roles go before the shipped; a faulty file is named with its fault, and the others still work", async () => {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'story-portal-roles-')))
  folders.push(root)
  const own = path.join(root, '.story-portal/roles')
  mkdirSync(own, { recursive: true })
  const reviewer = {
    ...{ title: 'Our reviewer', purpose: 'p', needs: [{ part: 'goal' }], must: ['m'], must_not: ['n'] },
    ...{ hands_over: ['goal'], gate: { min_score: 0, blocking: [] } },
  }
  const write = (name: string, value: unknown) =>
    writeFileSync(path.join(own, name), typeof value === 'string' ? value : JSON.stringify(value))
  write('reviewer.json', reviewer)
  write('tester.json', { ...reviewer, needs: [{ part: 'goal' }, { part: 'nothing' }] })
  write('planner.json', '{ no')
  symlinkSync('/etc/passwd', path.join(own, 'operator.json'))
  const { call, callError } = await open('context-orchestrator', {
    caller: { client: { surface: 'stdio', name: 't', cwd: root } },
  })
  await call('save_context_snapshot', { updates: UPDATES })
  const { role, faulty } = await call('get_role_context', { role: 'reviewer' })
  expect(role).toMatchObject({ title: 'Our reviewer', source: 'project' })
  expect(faulty.map(({ file }: { file: string }) => path.basename(file))).toEqual([
    'operator.json',
    'planner.json',
    'tester.json',
  ])
  const fault = await callError('get_role_context', { role: 'tester' })
  expect(fault).toMatchObject({ number: 'E14016', details: { faults: [{ path: expect.stringContaining('needs') }] } })
  expect(await call('get_role_context', { role: 'debugger' })).toMatchObject({ role: { source: 'shipped' } })
})
