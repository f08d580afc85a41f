import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string
beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'projects-')))
  for (const name of ['shop/.git', 'shop/web/src', 'outside']) mkdirSync(path.join(folder, name), { recursive: true })
  symlinkSync(path.join(folder, 'outside'), path.join(folder, 'shop/link'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const at = (cwd: string, caller: object = {}) =>
  open('context-orchestrator', {
    caller: { client: { surface: 'stdio', name: 't', cwd: path.join(folder, cwd) }, ...caller },
  })

test('the project of the folder gets the name, and saves in the folder go there', async () => {
  const { call } = await at('shop/web')
  const { project } = await call('create_project', { name: 'The shop' })
  expect(project).toMatchObject({ name: 'The shop', root: path.join(folder, 'shop') })
  await call('save_context_snapshot', { updates: { goal: 'Sell' } })
  expect((await call('get_unified_context')).project.id).toBe(project.id)
})

test('a folder in the project can be a project of its own, and is the nearer one for who works there', async () => {
  const { call, tenant } = await at('shop')
  await call('save_context_snapshot', { updates: { goal: 'All of it' } })
  const { project } = await call('create_project', { name: 'Web', root: 'web' })
  const below = await at('shop/web/src', { tenant_id: tenant })
  await below.call('save_context_snapshot', { updates: { goal: 'Web only' } })
  expect((await below.call('get_unified_context')).project.id).toBe(project.id)
  expect((await call('get_unified_context')).task.checkpoint.goal).toBe('All of it')
})

test('a name or folder that is taken is refused, and says by whom', async () => {
  const { call, callError } = await at('shop')
  await call('create_project', { name: 'One' })
  expect(await callError('create_project', { name: 'One', root: 'web' })).toMatchObject({
    number: 'E14010',
    details: { faults: [{ path: 'name' }] },
  })
  const folderTaken = await callError('create_project', { name: 'Two' })
  expect(folderTaken).toMatchObject({ number: 'E14010', details: { faults: [{ path: 'root' }] } })
  expect(folderTaken.message).toContain('One')
})

test.each([['..'], ['../outside'], ['link'], ['/'], ['missing'], ['web/../../outside']])(
  'a root that leads out of the project is refused: %s',
  async (root) => {
    const { callError } = await at('shop')
    expect(await callError('create_project', { name: 'Out', root })).toMatchObject({ number: 'E14011' })
  },
)

test('a client that tells no folder names a project without one', async () => {
  const { call, callError } = await open('context-orchestrator')
  expect((await call('create_project', { name: 'Remote' })).project.root).toBeNull()
  expect(await callError('create_project', { name: 'Other', root: folder })).toMatchObject({ number: 'E14011' })
})

test('of many at once with one name one is made', async () => {
  const { call } = await open('context-orchestrator')
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => call('create_project', { name: 'Same' })))
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('a reader may not', async () => {
  const { callError } = await open('context-orchestrator', { caller: { roles: ['reader'] } })
  expect(await callError('create_project', { name: 'X' })).toMatchObject({ code: 'DENIED' })
})
