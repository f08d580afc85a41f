import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'
import { resume, transcript, workSessions } from '../work-sessions/work-sessions.ts'

/** Default budget of check_recovery, four bytes a token. */
const BUDGET_BYTES = 2_000 * 4

test.each(workSessions().map((session) => [session.name, session] as const))(
  '%s: what the next session is given has every fact it needs, in a fraction of the transcript',
  async (_name, session) => {
    const { call } = await open('context-orchestrator')
    const prompt = await resume(session, call)
    const all = transcript(session)
    for (const fact of session.facts) expect(prompt).toContain(fact)
    expect(Buffer.byteLength(prompt)).toBeLessThanOrEqual(BUDGET_BYTES)
    expect(Buffer.byteLength(prompt)).toBeLessThan(Buffer.byteLength(all) / 5)
    process.stderr.write(`${session.name}: ${Buffer.byteLength(prompt)} of ${Buffer.byteLength(all)} bytes\n`)
  },
)

test('there are three recorded sessions', () => {
  expect(workSessions().length).toBeGreaterThanOrEqual(3)
})
