import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

export default defineWorkflow({
  name: 'testing.unit',
  title: 'Run the unit tests',
  description: 'Runs the unit tests, finds the cause of each failure and says whether the change may go on.',
  parameters: z.strictObject({
    project: z.string().min(1).max(1000).describe('Folder or repository'),
    command: z.string().min(1).max(2000).default('npm test').describe('What runs the tests'),
    paths: z.array(z.string().min(1).max(1000)).max(200).default([]).describe('Only these tests'),
  }),
  tasks: [
    {
      key: 'run',
      kind: 'assistant',
      instructions:
        'In input.project run input.command, for input.paths alone when there are any. Complete with {passed, failed, skipped, failures: [{test, message}]}: the counts as the runner prints them.',
      input: '{{plan.input}}',
    },
    {
      key: 'judge',
      kind: 'code',
      depends_on: ['run'],
      code: `const { passed, failed, failures = [] } = input.run
if (!Number.isInteger(passed) || !Number.isInteger(failed)) throw new Error('the run did not count its tests')
return { ok: failed === 0 && passed > 0, passed, failed, failures }`,
    },
    {
      key: 'diagnose',
      kind: 'assistant',
      depends_on: ['judge'],
      when: 'tasks.judge.output.ok == false',
      instructions:
        'Find the cause of each of input.failures; change nothing. Complete with {causes: [{test, cause, fix}]}.',
      input: { failures: '{{tasks.judge.output.failures}}', project: '{{plan.input.project}}' },
    },
    {
      key: 'report',
      kind: 'code',
      depends_on: ['judge', 'diagnose'],
      code: 'return { ...input.judge, causes: input.diagnose?.causes ?? [] }',
    },
  ],
})
