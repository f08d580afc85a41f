import { open, testDatabase } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('silent sessions are marked as crashed by one of two processes, once each; those that live are not', async () => {
  const db = await testDatabase({ STORY_PORTAL_SESSION_SILENCE_MS: '1000' })
  try {
    const { call, callOn } = await open('context-orchestrator', { db, start: true, with: ['data'] })
    await open('context-orchestrator', { db, start: true })
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.push((await call('start_session')).session.session_id)
    const alive = (await call('start_session')).session.session_id
    const beating = setInterval(() => void call('heartbeat_session', { session_id: alive }), 100)
    const record = async (id: string) => (await callOn('data', 'get_record', { kind: 'session', id })).record
    for (const id of ids) await expect.poll(async () => (await record(id)).status, { timeout: 20_000 }).toBe('crashed')
    expect((await record(alive)).status).toBe('active')
    clearInterval(beating)
    for (const id of ids) {
      const { items } = await callOn('data', 'list_events', { stream: `session/${id}` })
      expect(items).toHaveLength(2)
    }
  } finally {
    await db.close()
  }
})
