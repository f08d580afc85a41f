import { expect, test } from 'vitest'
import { z } from 'zod'
import { jsonSchemaToTypeScript } from './typescript.ts'

const print = (schema: z.ZodType) =>
  jsonSchemaToTypeScript(z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>)

test('objects keep names, optionality and descriptions', () => {
  const schema = z.object({
    id: z.string().describe('Which one.'),
    'odd-name': z.number().optional(),
    mode: z.enum(['wait', "it's"]),
    tags: z.array(z.union([z.string(), z.null()])),
    deep: z.object({ on: z.boolean() }).optional(),
  })
  expect(print(schema)).toMatchInlineSnapshot(`
    "{
      /** Which one. */
      id: string
      'odd-name'?: number
      mode: 'wait' | 'it\\'s'
      tags: (string | null)[]
      deep?: {
        on: boolean
      }
    }"
  `)
})

test.each([
  [z.record(z.string(), z.number()), 'Record<string, number>'],
  [z.unknown(), 'unknown'],
  [z.tuple([z.string(), z.number()]), '[string, number]'],
  [z.literal(3), '3'],
  [z.array(z.array(z.string())), 'string[][]'],
  [z.strictObject({}), 'Record<string, never>'],
  [z.looseObject({}), 'Record<string, unknown>'],
])('%# prints as it should', (schema, expected) => {
  expect(print(schema)).toBe(expected)
})

test('a schema that refers to itself ends', () => {
  expect(print(z.array(z.json()))).toMatch(/^\(string \| number \| boolean \| null \| .*unknown\[\].*\)\[\]$/)
  expect(jsonSchemaToTypeScript({ $ref: '#' })).toBe('unknown')
})

test('a comment can not be closed from inside a description', () => {
  const printed = jsonSchemaToTypeScript({
    type: 'object',
    properties: { a: { type: 'string', description: 'x */ evil()' } },
  })
  expect(printed).not.toContain('*/ evil')
})
