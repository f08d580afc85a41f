import { canonicalJson, sha256 } from '@story-portal/shared/data'
import { open } from '@story-portal/shared/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { merge } from '../merge.ts'

test('the first save needs nothing before it, and is read back', async () => {
  const { call } = await open('context-orchestrator')
  const saved = await call('save_context_snapshot', { updates: { goal: 'Ship', next_action: 'Run the tests' } })
  expect(saved).toMatchObject({ version: 1, changed: ['next_action', 'goal'] })
  const read = await call('get_unified_context')
  expect(read.task).toMatchObject({
    task_id: saved.task_id,
    version: 1,
    checkpoint: { goal: 'Ship', next_action: 'Run the tests' },
  })
})

test('a save merges: lists of facts grow, a done step is no longer pending, the same again is no new version', async () => {
  const { call } = await open('context-orchestrator')
  await call('save_context_snapshot', { updates: { constraints: ['no network'], pending_steps: ['a', 'b'] } })
  const updates = { constraints: ['no root'], done_steps: ['a'] }
  const second = await call('save_context_snapshot', { updates })
  expect(second.version).toBe(2)
  const again = await call('save_context_snapshot', { updates })
  expect(again).toMatchObject({ version: 2, changed: [] })
  const { task } = await call('get_unified_context')
  expect(task.checkpoint).toEqual({ constraints: ['no network', 'no root'], pending_steps: ['b'], done_steps: ['a'] })
  const { task: old } = await call('get_unified_context', { version: 1 })
  expect(old.checkpoint).toEqual({ constraints: ['no network'], pending_steps: ['a', 'b'] })
})

test('a save on an old version saves nothing and shows both sides', async () => {
  const { call, callError } = await open('context-orchestrator')
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'one' } })
  await call('save_context_snapshot', { task_id, updates: { goal: 'two' } })
  const late = await call('save_context_snapshot', { task_id, updates: { goal: 'three' }, expected_version: 1 })
  expect(late).toMatchObject({
    version: 2,
    changed: [],
    conflict: { current_version: 2, changed_since: ['goal'], yours: { goal: 'three' }, theirs: { goal: 'two' } },
  })
  const ahead = await callError('save_context_snapshot', { task_id, updates: {}, expected_version: 9 })
  expect(ahead).toMatchObject({ number: 'E14002' })
})

test('20 saves at once with nothing before them make one task and 20 versions', async () => {
  const { call } = await open('context-orchestrator')
  const saves = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call('save_context_snapshot', { updates: { constraints: [`c${i}`] } })),
  )
  expect(new Set(saves.map(({ task_id }) => task_id)).size).toBe(1)
  expect(saves.map(({ version }) => version).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('every version is kept byte for byte, whatever was saved', async () => {
  const line = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0'))
  const lines = fc.option(fc.array(line, { maxLength: 4 }))
  const updates = fc.record({ goal: fc.option(line), constraints: lines, pending_steps: lines }, { requiredKeys: [] })
  const { call, db, tenant } = await open('context-orchestrator')
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(updates, { minLength: 1, maxLength: 8 }), async (saves) => {
      const project = `p${++round}`
      let model = {}
      for (const save of saves) {
        model = merge(model, save)
        const { task_id, version } = await call('save_context_snapshot', { project, updates: save })
        const rows = await db.tx({ kind: 'tenant', tenant_id: tenant, subject: 'user:local' }, (tx) =>
          tx
            .selectFrom('core.context_versions')
            .select(['body', 'sha256'])
            .where('task_context_id', '=', task_id)
            .where('number', '=', version)
            .execute(),
        )
        expect(rows).toEqual([{ body: canonicalJson(model), sha256: sha256(canonicalJson(model)) }])
      }
    }),
    { numRuns: 15 },
  )
})

test('what does not fit is refused with its path, and nothing is saved', async () => {
  const { call, callError } = await open('context-orchestrator')
  const unknown = await callError('save_context_snapshot', { updates: { gaol: 'x' } })
  expect(unknown).toMatchObject({ code: 'INVALID_INPUT', details: { faults: [{ path: 'updates.gaol' }] } })
  const nested = await callError('save_context_snapshot', { updates: { tests: [{ name: 'a', result: 7, why: 1 }] } })
  expect(nested.details?.faults).toMatchObject([{ path: 'updates.tests[0].result' }, { path: 'updates.tests[0].why' }])
  const lost = await callError('save_context_snapshot', { task_id: 'tcx_unknown', updates: { goal: 'x' } })
  expect(lost).toMatchObject({ code: 'NOT_FOUND' })
  const big = Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(2000, 'x'))
  expect(await callError('save_context_snapshot', { updates: { constraints: big } })).toMatchObject({
    number: 'E14003',
  })
  expect(await callError('get_unified_context')).toMatchObject({ number: 'E14001' })
  expect((await call('save_context_snapshot', { updates: { goal: 'x' } })).version).toBe(1)
})

test('of key files the 500 named last stay, the latest at the end, so that edits do not fill the room of a task', async () => {
  const { call } = await open('context-orchestrator')
  const save = (paths: string[]) =>
    call('save_context_snapshot', { project: 'p', updates: { key_files: paths.map((path) => ({ path })) } })
  const names = async () => {
    const { task } = await call('get_unified_context', { project: 'p', max_tokens: 100_000 })
    return task.checkpoint.key_files.map(({ path }: { path: string }) => path)
  }
  const many = Array.from({ length: 500 }, (_, i) => `file ${i}`)
  await save(many)
  await save(['file 0', 'new'])
  expect(await names()).toEqual([...many.slice(2), 'file 0', 'new'])
  expect(await save(['file 0', 'new'])).toMatchObject({ changed: [] })
})
