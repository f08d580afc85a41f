import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'deployment.standard',
  title: 'Deploy a version',
  description: 'Builds, tests, asks a person, deploys, checks, and rolls back when the check fails.',
  parameters: z.strictObject({
    service: z.string().min(1).max(200).describe('What is deployed'),
    version: z.string().min(1).max(200).describe('Version or commit'),
    environment: z.string().min(1).max(200).default('production').describe('Where to'),
    check: z.string().min(1).max(5000).describe('How to see that it works'),
  }),
  tasks: [
    {
      key: 'build',
      kind: 'assistant',
      instructions: 'Build and test input.version of input.service. Complete with {ok, artifact, notes}.',
      input: '{{plan.input}}',
    },
    {
      key: 'approve',
      kind: 'approval',
      depends_on: ['build'],
      when: 'tasks.build.output.ok == true',
      prompt: 'Deploy this build?',
      // A no is an answer: the report says so.
      continue_on_failure: true,
      input: { build: '{{tasks.build.output}}', environment: '{{plan.input.environment}}' },
    },
    {
      key: 'gate',
      kind: 'code',
      depends_on: ['build', 'approve'],
      code: `const built = input.build.ok === true
const go = built && input.approve?.approved === true
return { go, reason: go ? (input.approve.note ?? '') : built ? 'nobody allowed it' : 'the build failed' }`,
    },
    {
      key: 'deploy',
      kind: 'assistant',
      depends_on: ['gate'],
      when: 'tasks.gate.output.go == true',
      instructions:
        'Deploy input.artifact to input.environment. Complete with {deployed, previous}: the version before.',
      input: { artifact: '{{tasks.build.output.artifact}}', environment: '{{plan.input.environment}}' },
    },
    {
      key: 'check',
      kind: 'assistant',
      depends_on: ['deploy', 'gate'],
      when: 'tasks.gate.output.go == true',
      instructions: 'See by input.check whether the new version works. Complete with {healthy, seen}.',
      input: { check: '{{plan.input.check}}' },
    },
    {
      key: 'verdict',
      kind: 'code',
      depends_on: ['gate', 'check'],
      code: 'return { undo: input.gate.go && input.check?.healthy !== true }',
    },
    {
      key: 'roll_back',
      kind: 'assistant',
      depends_on: ['verdict', 'deploy'],
      when: 'tasks.verdict.output.undo == true',
      instructions: 'Go back to input.deploy.previous and see that it works. Complete with {restored}.',
      input: { deploy: '{{tasks.deploy.output}}' },
    },
    {
      key: 'report',
      kind: 'code',
      depends_on: ['gate', 'verdict', 'roll_back'],
      code: `const { go, reason } = input.gate
return { deployed: go && !input.verdict.undo, reason, rolled_back: input.roll_back?.restored ?? null }`,
    },
  ],
})
