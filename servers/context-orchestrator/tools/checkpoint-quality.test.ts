import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const GOOD = {
  goal: 'Move the parser to the new grammar',
  next_action: 'Run npm test -- lexer and mend what fails',
  decisions: [{ decision: 'Keep the old tokens', reason: 'plugins name them' }],
  done_steps: ['write the grammar'],
  pending_steps: ['mend the lexer'],
  tests: [{ name: 'parser.test.ts', result: '12 passed, 0 failed' }],
  key_files: [{ path: 'src/parser.ts', sha256: '0'.repeat(64) }],
}

async function judged(updates: object, more: object = {}) {
  const { call } = await open('context-orchestrator')
  await call('save_context_snapshot', { updates })
  return call('checkpoint_quality', more)
}
const rules = ({ findings }: { findings: { rule: string }[] }) => findings.map(({ rule }) => rule)

test('a good checkpoint has nothing to mend; the same one always gets the same answer', async () => {
  expect(await judged(GOOD)).toMatchObject({ score: 100, passes: true, findings: [], unmet: [] })
})

test.each([
  ['goal_missing', 75, { goal: null }],
  ['next_action_missing', 75, { next_action: null }],
  ['next_action_vague', 75, { next_action: 'Continue.' }],
  ['blocker_vague', 90, { blockers: ['stuck'] }],
  ['decision_without_reason', 90, { decisions: [{ decision: 'Use tar' }] }],
  ['failing_tests_unexplained', 75, { tests: [{ name: 'a', result: '3 failed' }], pending_steps: null }],
  ['no_test_result', 95, { tests: null }],
  ['key_file_without_digest', 95, { key_files: [{ path: 'src/x.ts' }] }],
  [
    'too_large',
    90,
    {
      tests: Array.from({ length: 200 }, (_, i) => ({ name: `${i} ${'x'.repeat(40)}`, result: 'ok' })),
      key_files: null,
    },
  ],
] as const)('%s is found, and costs', async (rule, score, change) => {
  const updates = Object.fromEntries(Object.entries({ ...GOOD, ...change }).filter(([, value]) => value !== null))
  const answer = await judged(updates)
  expect(rules(answer)).toEqual([rule])
  expect(answer).toMatchObject({ score })
  expect(answer.findings[0].fix.length).toBeGreaterThan(10)
})

test('a step that is done and still to do, in other words, is found; of one rule three findings count', async () => {
  const { call } = await open('context-orchestrator')
  await call('save_context_snapshot', {
    updates: { ...GOOD, done_steps: ['Write the grammar'], pending_steps: ['write  the grammar!'] },
  })
  expect(rules(await call('checkpoint_quality'))).toEqual(['done_step_pending'])
  const decisions = Array.from({ length: 8 }, (_, i) => ({ decision: `decision ${i}` }))
  await call('save_context_snapshot', { updates: { pending_steps: ['mend the lexer'], decisions } })
  expect(await call('checkpoint_quality')).toMatchObject({ score: 70 })
})

test("by a role's gate: what it hands over must be there, and its blocking rules have no finding", async () => {
  const { decisions: _d, ...rest } = GOOD
  const answer = await judged({ ...rest, decisions: [{ decision: 'Use tar' }] }, { role: 'reviewer' })
  expect(answer).toMatchObject({ passes: false, score: 90, unmet: ['decision_without_reason must have no finding.'] })
})
