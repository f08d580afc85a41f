import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'deployment.canary',
  title: 'Deploy a version step by step',
  description:
    'Gives a new version a growing share of the traffic; the first step over a limit ends it and rolls back.',
  parameters: z.strictObject({
    service: z.string().min(1).max(200).describe('What is deployed'),
    version: z.string().min(1).max(200).describe('Version or commit'),
    steps: z.array(z.number().min(0).max(100)).min(1).max(10).default([5, 25, 100]).describe('Share of traffic in %'),
    max_error_rate: z.number().min(0).max(1).default(0.01).describe('Of the new version'),
    max_p95_ms: z.number().min(0).default(1000).describe('Of the new version'),
  }),
  tasks: ({ steps, max_error_rate, max_p95_ms }) => [
    { key: 'gate_0', kind: 'code', code: 'return { ok: true, percent: 0 }' },
    ...steps.flatMap((percent, i) => step(i + 1, { percent, max_error_rate, max_p95_ms })),
    {
      key: 'roll_back',
      kind: 'assistant',
      depends_on: [`gate_${steps.length}`],
      when: `tasks.gate_${steps.length}.output.ok == false`,
      instructions: 'Give the old version all traffic and see that it works. Complete with {restored}.',
      input: { service: '{{plan.input.service}}', last: `{{tasks.gate_${steps.length}.output}}` },
    },
    {
      key: 'report',
      kind: 'code',
      depends_on: [`gate_${steps.length}`, 'roll_back'],
      code: `return { ...input.gate_${steps.length}, rolled_back: input.roll_back?.restored ?? null }`,
    },
  ],
})

/** A step is left out when the one before did not hold; the gates pass on how far it went. */
function step(n: number, limits: { percent: number; max_error_rate: number; max_p95_ms: number }) {
  const before = `gate_${n - 1}`
  return [
    {
      key: `shift_${n}`,
      kind: 'assistant' as const,
      depends_on: [before],
      when: `tasks.${before}.output.ok == true`,
      instructions: `Give the new version ${limits.percent} % of the traffic, watch it until the figures are steady. Complete with {error_rate, p95_ms}: error_rate from 0 to 1.`,
      input: '{{plan.input}}',
    },
    {
      key: `gate_${n}`,
      kind: 'code' as const,
      depends_on: [before, `shift_${n}`],
      // Nothing is bound: a binding to a step that was left out would leave out the gate too.
      code: `const before = input.${before}
const seen = input.shift_${n}
const limits = ${JSON.stringify(limits)}
if (!before.ok) return before
if (typeof seen.error_rate !== 'number' || typeof seen.p95_ms !== 'number') throw new Error('the step was not measured')
const ok = seen.error_rate <= limits.max_error_rate && seen.p95_ms <= limits.max_p95_ms
return { ok, percent: limits.percent, seen }`,
    },
  ]
}
