import type { Checkpoint } from '../checkpoint.ts'
import { type Finding, findingsOf, scoreOf } from './quality.ts'
import type { Role } from './roles.ts'

/** Of a role's gate: what is enough to hand over, and what of it is not reached. */
export type Judgement = {
  score: number
  passes: boolean
  findings: Finding[]
  /** Why the gate does not open; empty when it does. */
  unmet: string[]
}

const GATE: Pick<Role, 'gate' | 'hands_over'> = { gate: { min_score: 70, blocking: [] }, hands_over: [] }

/** Judges a checkpoint by the gate of a role; without one, 70 points are enough. */
export function judge(checkpoint: Checkpoint, role: Pick<Role, 'gate' | 'hands_over'> = GATE): Judgement {
  const findings = findingsOf(checkpoint)
  const score = scoreOf(findings)
  const { gate, hands_over } = role
  const blocking = new Set(findings.map(({ rule }) => rule).filter((rule) => gate.blocking.includes(rule)))
  const unmet = [
    ...(score < gate.min_score ? [`The score is ${score}; ${gate.min_score} are needed.`] : []),
    ...[...blocking].map((rule) => `${rule} must have no finding.`),
    ...hands_over
      .filter((part) => checkpoint[part] === undefined)
      .map((part) => `${part} is handed over, and is empty.`),
  ]
  return { score, passes: unmet.length === 0, findings, unmet }
}
