import { type Checkpoint, type Part, WHOLE } from '../checkpoint.ts'
import { fit } from '../fit.ts'

/** Rules by which a checkpoint is judged, as a role's gate names them. */
export const QUALITY_RULES = [
  'goal_missing',
  'next_action_missing',
  'next_action_vague',
  'decision_without_reason',
  'done_step_pending',
  'blocker_vague',
  'failing_tests_unexplained',
  'no_test_result',
  'key_file_without_digest',
  'too_large',
] as const

export type QualityRule = (typeof QUALITY_RULES)[number]

export type Finding = {
  rule: QualityRule
  part: Part
  severity: 'high' | 'medium' | 'low'
  why: string
  fix: string
}

const COSTS: Record<Finding['severity'], number> = { high: 25, medium: 10, low: 5 }
/** Findings of one rule that count: ten decisions without reasons are not ten times as bad. */
const MOST_OF_A_RULE = 3
const DEFAULT_TOKENS = 2_000
/** Words that say that something is to be done, and not what. */
const VAGUE =
  /^(continue|go on|proceed|keep going|finish|fix (it|bugs?|issues?)|todo|tbd|next|work on (it|this)|see above|\.+)[\s.!]*$/i
const FAILING = /fail|error|broken|red\b|timeout|flaky/i

/** What is weak about a checkpoint, worst first; the same checkpoint always gets the same answer. */
export function findingsOf(checkpoint: Checkpoint): Finding[] {
  const found = [...missing(checkpoint), ...vague(checkpoint), ...contradicting(checkpoint), ...unproven(checkpoint)]
  return found.sort((a, b) => COSTS[b.severity] - COSTS[a.severity])
}

/** 100 without findings; each costs 25, 10 or 5, of one rule three at most. */
export function scoreOf(findings: readonly Finding[]): number {
  const counted = findings.filter(
    (one, i) => findings.slice(0, i).filter(({ rule }) => rule === one.rule).length < MOST_OF_A_RULE,
  )
  return Math.max(0, 100 - counted.reduce((sum, { severity }) => sum + COSTS[severity], 0))
}

function missing({ goal, next_action, pending_steps }: Checkpoint): Finding[] {
  const found: Finding[] = []
  if (goal === undefined)
    found.push({
      ...{ rule: 'goal_missing', part: 'goal', severity: 'high' },
      ...{ why: 'Nothing says what the work is for.', fix: 'Save the goal in a sentence.' },
    })
  if (next_action === undefined)
    found.push({
      ...{ rule: 'next_action_missing', part: 'next_action', severity: 'high' },
      why: pending_steps ? 'There are steps to do, but none is the next.' : 'Nothing says how to go on.',
      fix: 'Save the exact next action: a command, or a file and what to do in it. Of finished work: what to look at.',
    })
  return found
}

function vague({ next_action, blockers = [] }: Checkpoint): Finding[] {
  const found: Finding[] = []
  if (next_action !== undefined && (VAGUE.test(next_action.trim()) || next_action.trim().length < 8))
    found.push({
      ...{ rule: 'next_action_vague', part: 'next_action', severity: 'high' },
      why: `"${next_action.slice(0, 60)}" does not say what to do.`,
      fix: 'Name the command, or the file and what to do in it.',
    })
  for (const blocker of blockers)
    if (blocker.trim().split(/\s+/).length < 3)
      found.push({
        ...{ rule: 'blocker_vague', part: 'blockers', severity: 'medium' },
        why: `"${blocker.slice(0, 60)}" does not say who or what is waited for.`,
        fix: 'Say what is missing, and who can give it.',
      })
  return found
}

function contradicting({ done_steps = [], pending_steps = [], tests = [], blockers = [] }: Checkpoint): Finding[] {
  const plain = (step: string) =>
    step
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
  const done = new Set(done_steps.map(plain))
  const twice: Finding[] = pending_steps
    .filter((step) => done.has(plain(step)))
    .map((step) => ({
      ...{ rule: 'done_step_pending', part: 'pending_steps', severity: 'medium' },
      ...{ why: `"${step.slice(0, 60)}" is done and still to do.`, fix: 'Take it out of one of the two.' },
    }))
  const failing = tests.filter(({ result }) => FAILING.test(result) && !/\b0 (failed|errors?)\b/i.test(result))
  if (failing.length === 0 || blockers.length > 0 || pending_steps.length > 0) return twice
  const names = failing.map(({ name }) => name).join(', ')
  return [
    ...twice,
    {
      ...{ rule: 'failing_tests_unexplained', part: 'tests', severity: 'high' },
      why: `${names.slice(0, 120)} failed last, and no step or blocker is about it.`,
      fix: 'Add the step that mends it, or the blocker that stops you.',
    },
  ]
}

function unproven(checkpoint: Checkpoint): Finding[] {
  const { decisions = [], tests = [], done_steps = [], key_files = [] } = checkpoint
  const found: Finding[] = decisions
    .filter(({ reason }) => reason === undefined)
    .map(({ decision }) => ({
      ...{ rule: 'decision_without_reason', part: 'decisions', severity: 'medium' },
      why: `"${decision.slice(0, 60)}" has no reason: the next one may decide otherwise.`,
      fix: 'Save it again with its reason, and evidence if there is any.',
    }))
  if (done_steps.length > 0 && tests.length === 0)
    found.push({
      ...{ rule: 'no_test_result', part: 'tests', severity: 'low' },
      ...{
        why: 'Steps are done, and nothing says how they were proven.',
        fix: 'Save the tests with their last result.',
      },
    })
  if (key_files.some(({ sha256 }) => sha256 === undefined))
    found.push({
      ...{ rule: 'key_file_without_digest', part: 'key_files', severity: 'low' },
      why: 'A change of these files can only be seen where the client tells its folder.',
      fix: 'Save key files with their sha256, or over stdio.',
    })
  const cut = fit(checkpoint, DEFAULT_TOKENS, WHOLE).omitted.filter(
    ({ part }) => part !== 'notes' && part !== 'done_steps',
  )
  for (const { part, items } of cut)
    found.push({
      ...{ rule: 'too_large', part, severity: 'medium' },
      why: `${items} of ${part} do not fit into the default budget of ${DEFAULT_TOKENS} tokens.`,
      fix: 'Shorten notes and old entries, or begin another task for another goal.',
    })
  return found
}
