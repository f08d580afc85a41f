import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AnyClient,
  callOver,
  httpClient,
  manifests,
  stdioClient,
  type UnderTest,
  underTest,
} from './under-test.ts'

const SERVER = 'context-orchestrator'
const on = (client: AnyClient) => {
  const call = callOver({ [SERVER]: client })
  return (tool: string, args: Record<string, unknown> = {}) => call(SERVER, tool, args)
}

const UPDATES = {
  goal: 'Move the parser to the new grammar',
  next_action: 'Run the tests of the lexer',
  decisions: [{ decision: 'Keep the old tokens', reason: 'plugins name them' }],
}

describe('an assistant that has just been installed', () => {
  let it: UnderTest
  beforeAll(async () => {
    it = await underTest()
  })
  afterAll(() => it.dispose())

  test('over stdio: the very first call saves, and a session that knows nothing gets it back; two assistants at once', async () => {
    const first = await stdioClient(SERVER, it.env, 'v2')
    const saved = await on(first)('save_context_snapshot', { updates: UPDATES })
    expect(saved).toMatchObject({ version: 1 })
    await first.close()

    const [second, third] = await Promise.all([stdioClient(SERVER, it.env, 'v1'), stdioClient(SERVER, it.env, 'v2')])
    const sessions = (await Promise.all([second, third].map((client) => on(client)('start_session')))) as {
      session: { session_id: string }
    }[]
    const ids = sessions.map(({ session }) => session.session_id)
    expect(new Set(ids).size).toBe(2)
    for (const [client, session_id] of [
      [second, ids[0]],
      [third, ids[1]],
    ] as const) {
      const back = await on(client)('check_recovery', { session_id })
      expect(back).toMatchObject({ task: { task_id: saved['task_id'], checkpoint: UPDATES } })
      const [{ resume_prompt: prompt } = { resume_prompt: '' }] = back['sessions'] as { resume_prompt: string }[]
      expect(prompt).toContain('Next action: Run the tests of the lexer')
    }

    // Both at work on the same task: every acknowledged version is there, in order, none twice.
    const saves = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        on(i % 2 === 0 ? second : third)('save_context_snapshot', {
          session_id: ids[i % 2],
          updates: { done_steps: [`step ${i}`] },
        }),
      ),
    )
    expect(saves.map(({ version }) => Number(version)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 2),
    )
    const { task } = (await on(third)('get_unified_context')) as { task: { checkpoint: { done_steps: string[] } } }
    expect(task.checkpoint.done_steps).toHaveLength(20)

    await on(second)('end_session', { session_id: ids[0], status: 'compacted', updates: { next_action: 'Go on' } })
    const taken = await on(third)('check_recovery', { session_id: ids[1] })
    expect(taken).toMatchObject({
      needs_recovery: true,
      sessions: [{ session_id: ids[0], status: 'compacted', taken_over: true, task_id: saved['task_id'] }],
      task: { checkpoint: { next_action: 'Go on' } },
    })
    await Promise.all([second.close(), third.close()])
  })

  test('over HTTP: the same, two at once, in a project of its own name', async () => {
    const port = manifests().find(({ name }) => name === SERVER)?.port ?? 0
    const project = 'over http'
    const first = await httpClient(it, port, 'v2')
    const { task_id } = await on(first)('save_context_snapshot', { project, updates: UPDATES })
    await first.close()
    const clients = await Promise.all([httpClient(it, port, 'v1'), httpClient(it, port, 'v2')])
    await Promise.all(
      clients.map(async (client) => {
        const { session } = (await on(client)('start_session', { project })) as { session: { session_id: string } }
        const back = await on(client)('check_recovery', { session_id: session.session_id })
        expect(back).toMatchObject({ needs_recovery: true, task: { task_id, checkpoint: UPDATES } })
        await client.close()
      }),
    )
  })
})
