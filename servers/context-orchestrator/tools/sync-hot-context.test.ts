import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open } from '@story-portal/shared/testing'
import { afterAll, expect, test } from 'vitest'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function project() {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'story-portal-mirror-')))
  folders.push(root)
  const opened = await open('context-orchestrator', { caller: { client: { surface: 'stdio', name: 't', cwd: root } } })
  const { call } = opened
  const { task_id } = await call('save_context_snapshot', {
    updates: { goal: 'Ship it', next_action: 'Run the tests', constraints: ['small', 'fast'], notes: 'ünïcode' },
  })
  const at = (...parts: string[]) => path.join(root, '.claude/contexts', ...parts)
  const sync = (args: object = {}) => call('sync_hot_context', args)
  const states = async () => (await sync()).files.map(({ state }: { state: string }) => state)
  await sync()
  const [json = '', md = ''] = readdirSync(at()).toSorted()
  return { ...opened, root, at, sync, states, task_id, json: at(json), md: at(md) }
}

const read = (file: string) => readFileSync(file, 'utf8')

test('people and git can read it: the same text until something is saved, no half files', async () => {
  const { call, at, states, task_id, json, md } = await project()
  expect(path.basename(md)).toBe(`ship-it-${task_id.slice(-8)}.md`)
  expect(read(md)).toMatch(
    /# Ship it\n\nSaved at .*, version 1\.\n\nNext action: Run the tests\n\nConstraints:\n- small\n/,
  )
  expect(JSON.parse(read(json))).toMatchObject({ task_id, version: 1, checkpoint: { notes: 'ünïcode' } })
  expect(await states()).toEqual(['unchanged', 'unchanged'])
  await call('save_context_snapshot', { updates: { next_action: 'Publish' } })
  expect(await states()).toEqual(['written', 'written'])
  expect(read(md)).toContain('Next action: Publish')
  // What a checkout of an older commit brings back is ours too, and is brought up to date.
  const older = read(json)
  await call('save_context_snapshot', { updates: { next_action: 'Rest' } })
  await states()
  writeFileSync(json, older)
  expect(await states()).toEqual(['written', 'unchanged'])
  expect(readdirSync(at())).toHaveLength(2)
})

test('an edit by hand is never written over: it is a conflict, and becomes a version when it is kept', async () => {
  const { call, sync, states, json } = await project()
  const edited = JSON.parse(read(json))
  edited.checkpoint.next_action = 'Ask Ada'
  edited.checkpoint.constraints = ['small']
  delete edited.checkpoint.notes
  const text = JSON.stringify(edited, null, 4)
  writeFileSync(json, text)
  await call('save_context_snapshot', { updates: { blockers: ['the printer'] } })
  const { files } = await sync()
  expect(files).toMatchObject([{ state: 'edited' }, { state: 'written' }])
  expect(read(json)).toBe(text)
  expect((await sync()).files[0].conflict_id).toBe(files[0].conflict_id)
  const [conflict] = (await call('detect_conflicts')).conflicts
  expect(conflict).toMatchObject({ kind: 'mirror_edit', conflict_id: files[0].conflict_id })
  expect(conflict.sides.yours).toEqual({ next_action: 'Ask Ada', constraints: ['small'], notes: null })
  await call('resolve_conflict', { conflict_id: conflict.conflict_id, outcome: 'keep_yours' })
  const { task } = await call('get_unified_context')
  expect(task).toMatchObject({ version: 3 })
  expect(task.checkpoint).toEqual({
    ...{ goal: 'Ship it', next_action: 'Ask Ada', constraints: ['small'], blockers: ['the printer'] },
  })
  expect(await states()).toEqual(['written', 'written'])
  expect(await states()).toEqual(['unchanged', 'unchanged'])
})

test('an edit that is no checkpoint is kept as text; settled for the database it may be written over, dismissed it stays', async () => {
  const { call, states, json, md } = await project()
  writeFileSync(md, `${read(md)}\nRemember the milk`)
  writeFileSync(json, '{ not json')
  expect(await states()).toEqual(['edited', 'edited'])
  const { conflicts } = await call('detect_conflicts')
  for (const { conflict_id, sides } of conflicts as { conflict_id: string; sides: { file: string; text: string } }[]) {
    expect(sides.text).toMatch(/Remember the milk$|not json/)
    const outcome = sides.file.endsWith('.md') ? 'dismiss' : 'keep_theirs'
    await call('resolve_conflict', { conflict_id, outcome })
  }
  expect(await states()).toEqual(['written', 'edited'])
  expect(read(md)).toContain('Remember the milk')
})

test('nothing is written out of the project, and nothing that is not ours is touched', async () => {
  const { callError, root, sync, at, json, md } = await project()
  const outside = realpathSync(mkdtempSync(path.join(tmpdir(), 'story-portal-outside-')))
  folders.push(outside)
  symlinkSync(outside, path.join(root, 'link'))
  writeFileSync(path.join(root, 'file'), 'x')
  for (const folder of ['..', '/tmp', '.', 'link', 'link/deep', 'file', 'file/deep'])
    expect(await callError('sync_hot_context', { folder }), folder).toMatchObject({
      number: expect.stringMatching(/E1402[78]/),
    })
  expect(readdirSync(outside)).toEqual([])
  rmSync(json)
  symlinkSync(path.join(outside, 'target'), json)
  rmSync(md)
  execFileSync('mkfifo', [md])
  expect((await sync()).files.map(({ state }: { state: string }) => state)).toEqual(['foreign', 'foreign'])
  expect(existsSync(path.join(outside, 'target'))).toBe(false)
  rmSync(json)
  writeFileSync(json, Buffer.alloc(2 * 1024 * 1024, 1))
  rmSync(md)
  mkdirSync(md)
  expect((await sync()).files.map(({ state }: { state: string }) => state)).toEqual(['foreign', 'foreign'])
  expect(readdirSync(at())).toHaveLength(2)
  const remote = await open('context-orchestrator')
  await remote.call('save_context_snapshot', { updates: { goal: 'x' } })
  expect(await remote.callError('sync_hot_context')).toMatchObject({ number: 'E14029' })
})

test('twenty syncs while twenty saves are made end with the newest version, and no conflict', async () => {
  const { call, sync, states, md } = await project()
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      await call('save_context_snapshot', { updates: { next_action: `step ${i}` } })
      await sync()
    }),
  )
  await sync()
  expect(await states()).toEqual(['unchanged', 'unchanged'])
  expect(read(md)).toContain('version 21')
  expect((await call('detect_conflicts')).conflicts).toEqual([])
})
