import { z } from 'zod'
import { defineWorkflow } from '../workflow.ts'

const Tool = z.string().regex(/^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_]*)?$/, 'must be a tool such as data.list_records')

export default defineWorkflow({
  name: 'data_pipeline.etl',
  title: 'Extract, transform, load',
  description:
    'Reads rows with one tool, turns them into arguments with your code, and calls another tool once for each.',
  parameters: z.strictObject({
    source: z
      .strictObject({ tool: Tool, arguments: z.record(z.string(), z.json()).default({}) })
      .describe('Reads the rows'),
    transform: z
      .string()
      .min(1)
      .max(100_000)
      .describe(
        'Body of a function: input.rows is what the source returned; returns the arguments of each target call',
      ),
    target: z.strictObject({ tool: Tool }).describe('Called once for each'),
  }),
  tasks: ({ source, transform, target }) => [
    { key: 'extract', kind: 'tool', tool: source.tool, input: '{{plan.input.source.arguments}}' },
    {
      key: 'transform',
      kind: 'code',
      depends_on: ['extract'],
      input: { rows: '{{tasks.extract.output}}' },
      code: transform,
    },
    {
      key: 'load',
      kind: 'tool',
      tool: target.tool,
      depends_on: ['transform'],
      for_each: '{{tasks.transform.output}}',
      input: '{{item}}',
    },
    { key: 'report', kind: 'code', depends_on: ['load'], code: 'return { loaded: input.load.length }' },
  ],
})
