import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'testing.integration',
  title: 'Run the integration tests',
  description: 'Starts what the tests need, runs each suite, takes down what was started, and gives one verdict.',
  parameters: z.strictObject({
    project: z.string().min(1).max(1000).describe('Folder or repository'),
    suites: z.array(z.string().min(1).max(1000)).min(1).max(50).describe('Command of each suite'),
    services: z.string().max(5000).default('').describe('What must run first, in words or as a command'),
  }),
  tasks: [
    {
      key: 'set_up',
      kind: 'assistant',
      instructions:
        'Start what input.services asks for and wait until it answers. Complete with {ready, started: [names]}.',
      input: '{{plan.input}}',
    },
    {
      key: 'suites',
      kind: 'assistant',
      depends_on: ['set_up'],
      for_each: '{{plan.input.suites}}',
      instructions:
        'Run the command input.command in input.project. Complete with {passed, failed, failures: [{test, message}]}.',
      input: { command: '{{item}}', project: '{{plan.input.project}}' },
    },
    {
      key: 'take_down',
      kind: 'assistant',
      depends_on: ['set_up', 'suites'],
      instructions: 'Stop everything in input.started, and nothing else. Complete with {stopped: [names]}.',
      input: { started: '{{tasks.set_up.output.started}}' },
    },
    {
      key: 'report',
      kind: 'code',
      depends_on: ['suites', 'take_down'],
      code: `const failed = input.suites.reduce((sum, suite) => sum + suite.failed, 0)
const passed = input.suites.reduce((sum, suite) => sum + suite.passed, 0)
return { ok: failed === 0 && passed > 0, passed, failed, failures: input.suites.flatMap((suite) => suite.failures ?? []) }`,
    },
  ],
})
