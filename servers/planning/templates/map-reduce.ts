import { z } from 'zod'
import { defineTemplate } from '../template.ts'

const Code = z.string().min(1).max(200_000)

export default defineTemplate({
  name: 'map_reduce',
  description: 'Runs code on every item in parallel, then code once on all results.',
  parameters: z.strictObject({
    items: z.array(z.json()).min(1).max(1000).describe('What to work on; input.item in map_code'),
    map_code: Code.describe('Body of an async function, run once per item; input has item and index'),
    reduce_code: Code.describe('Body of an async function, run once; input.results is the list of results, in order'),
    max_attempts: z.int().min(1).max(10).default(1).describe('Tries per item'),
  }),
  tasks: ({ map_code, reduce_code, max_attempts }) => [
    {
      key: 'map',
      kind: 'code',
      for_each: '{{plan.input.items}}',
      input: { item: '{{item}}', index: '{{index}}' },
      code: String(map_code),
      retry: { max_attempts: Number(max_attempts) },
    },
    {
      key: 'reduce',
      kind: 'code',
      depends_on: ['map'],
      input: { results: '{{tasks.map.output}}' },
      code: String(reduce_code),
    },
  ],
})
