import { open, testTenant } from '@story-portal/shared/testing'
import { sql } from 'kysely'
import { expect, test } from 'vitest'

async function project() {
  const opened = await open('context-orchestrator')
  const save = async (title: string, updates: object) =>
    (await opened.call('create_task_context', { title, updates })).task_id as string
  return { ...opened, save }
}

test('tasks are found by words of any part, the part that matches is shown, and a save changes what is found', async () => {
  const { call, save } = await project()
  const parser = await save('Parser', {
    goal: 'Move the parser to the new grammar',
    decisions: [{ decision: 'Keep the old tokens', reason: 'plugins name them' }],
    notes: `${'filler '.repeat(100)}the quokka lives here ${'filler '.repeat(100)}`,
  })
  const login = await save('Login', { goal: 'Users sign in with passkeys', next_action: 'Write the migration' })
  const found = async (query: string) => (await call('search_contexts', { query })).items
  expect(await found('plugins')).toMatchObject([
    {
      task_id: parser,
      title: 'Parser',
      version: 1,
      match: { part: 'decisions', text: 'Keep the old tokens - plugins name them' },
    },
  ])
  expect((await found('signing in with a passkey'))[0]).toMatchObject({ task_id: login, match: { part: 'goal' } })
  const [quokka] = await found('quokka')
  expect(quokka).toMatchObject({ task_id: parser, found_by: expect.arrayContaining(['words']) })
  expect(quokka.match.text).toMatch(/^….*the quokka lives here.*…$/)
  expect(quokka.match.text.length).toBeLessThan(210)
  expect(await found('"old grammar"')).toEqual([])
  await call('save_context_snapshot', { task_id: parser, updates: { decisions: null, notes: null } })
  expect((await found('plugins')).filter((item: { found_by: string[] }) => item.found_by.includes('words'))).toEqual([])
  await call('rollback_to', { task_id: parser, target: { type: 'version', version: 1 } })
  expect((await found('plugins'))[0]).toMatchObject({ task_id: parser, version: 3 })
})

test('past tasks like one are found without naming a word, the most alike first, not the task itself', async () => {
  const { call, save } = await project()
  const a = await save('Retry failed uploads', { goal: 'Uploads that fail are retried with backoff' })
  const b = await save('Retry failed downloads', { goal: 'Downloads that fail are retried with backoff' })
  await save('Colours of the chart', { goal: 'Blue for the ones, orange for the others' })
  const { items } = await call('search_contexts', { similar_to: a })
  expect(items[0]).toMatchObject({
    task_id: b,
    found_by: ['likeness'],
    goal: 'Downloads that fail are retried with backoff',
  })
  expect(items.map((item: { task_id: string }) => item.task_id)).not.toContain(a)
})

test('only the own project and the own tenant are searched; bad input is refused', async () => {
  const { call, callError, save, db } = await project()
  const mine = await save('x', { goal: 'the zebra' })
  await call('create_task_context', { project: 'elsewhere', title: 'y', updates: { goal: 'the zebra' } })
  const other = await open('context-orchestrator', { db })
  await other.call('create_task_context', { title: 'z', updates: { goal: 'the zebra' } })
  const ids = async (args: object) =>
    (await call('search_contexts', args)).items.map(({ task_id }: { task_id: string }) => task_id)
  expect(await ids({ query: 'zebra' })).toEqual([mine])
  expect(await ids({ query: 'zebra', project: 'nowhere' })).toEqual([])
  expect(await ids({ query: "zebra' or 1=1 --" })).toEqual([mine])
  expect(await callError('search_contexts')).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await callError('search_contexts', { query: 'x', similar_to: mine })).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await callError('search_contexts', { similar_to: 'tcx_nobody' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('the function behind the search answers for the own tenant only, whatever project it is asked for', async () => {
  const { call, save, db, tenant } = await project()
  const task_id = await save('x', { goal: 'the zebra' })
  const { project: of } = await call('get_unified_context')
  const asked = (tenant_id: string) =>
    db.tx({ kind: 'tenant', tenant_id, subject: 'user:local' }, async (tx) => {
      const { rows } = await sql`select task_context_id from core.search_contexts(${of.id}, 'zebra', 10)`.execute(tx)
      return rows
    })
  expect(await asked(tenant)).toEqual([{ task_context_id: task_id }])
  expect(await asked(testTenant().tenant_id)).toEqual([])
})
