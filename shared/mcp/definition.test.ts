import { expect, test } from 'vitest'
import { z } from 'zod'
import { StoryPortalError } from '../errors/index.ts'
import { defineTool } from './define.ts'
import { compileTool } from './definition.ts'
import { parseArguments } from './faults.ts'

const Step = z.object({ key: z.string().min(1), depends_on: z.array(z.string()).max(3).optional() })
const Shape = z.discriminatedUnion('type', [
  z.object({ type: z.literal('circle'), radius: z.number() }),
  z.object({ type: z.literal('square'), side: z.number() }),
])

const tool = compileTool(
  defineTool({
    name: 'draw_things',
    description: 'Draws. For texts, call write.',
    effect: 'create',
    input: {
      title: z.string().min(2).max(10).describe('What to call it.'),
      count: z.int().min(1).default(1),
      at: z.iso.datetime().optional(),
      mode: z.enum(['wait', 'background']).default('wait'),
      steps: z.array(Step).max(2).optional(),
      shape: Shape.optional(),
      labels: z.record(z.string(), z.string()).optional(),
      extra: z.unknown().optional(),
      free: z.looseObject({ known: z.string() }).optional(),
    },
    output: { id: z.string(), size: z.int() },
    run: async () => ({ id: 'x', size: 1 }),
  }),
)

function faults(args: unknown) {
  try {
    parseArguments(tool, args)
  } catch (error) {
    if (error instanceof StoryPortalError) return error.details?.faults
    throw error
  }
  return undefined
}

test('a definition is JSON Schema without noise: closed inputs, open outputs, hints by effect', () => {
  const { definition } = tool
  expect(definition.title).toBe('Draw things')
  expect(definition.annotations).toEqual({
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  })
  expect(definition.inputSchema).toMatchObject({ type: 'object', additionalProperties: false, required: ['title'] })
  const properties = definition.inputSchema['properties'] as Record<string, object>
  expect(properties['count']).toEqual({ type: 'integer', minimum: 1, default: 1 })
  expect(properties['at']).toEqual({ type: 'string', format: 'date-time' })
  expect(properties['steps']).toMatchObject({ items: { additionalProperties: false } })
  expect(properties['free']).toMatchObject({ additionalProperties: true })
  expect(properties['idempotency_key']).toMatchObject({ type: 'string', maxLength: 200 })
  expect(definition.outputSchema).toEqual({
    type: 'object',
    properties: { id: { type: 'string' }, size: { type: 'integer' } },
    required: ['id', 'size'],
  })
  expect(JSON.stringify(definition)).not.toContain('$schema')
})

test('compiling twice gives the same object', () => {
  expect(compileTool(tool.tool)).toBe(tool)
})

test('good arguments come out with defaults', () => {
  expect(
    parseArguments(tool, { title: 'Plan', labels: { a: 'b' }, extra: { any: [1] }, free: { known: 'x', more: 1 } }),
  ).toEqual({
    title: 'Plan',
    count: 1,
    mode: 'wait',
    labels: { a: 'b' },
    extra: { any: [1] },
    free: { known: 'x', more: 1 },
  })
})

test.each([
  [{}, [{ path: 'title', message: 'is required' }]],
  [{ title: 'x' }, [{ path: 'title', message: 'must have a length of at least 2' }]],
  [{ title: 7 }, [{ path: 'title', message: 'must be a string, not a number' }]],
  [{ title: 'Plan', count: 1.5 }, [{ path: 'count', message: 'must be an integer, not a number' }]],
  [{ title: 'Plan', count: 0 }, [{ path: 'count', message: 'must be at least 1' }]],
  [{ title: 'Plan', at: 'noon' }, [{ path: 'at', message: 'must be a time such as 2026-01-31T12:00:00Z' }]],
  [
    { title: 'Plan', mode: 'backgroud' },
    [{ path: 'mode', message: 'must be one of wait, background', hint: 'Did you mean background?' }],
  ],
  [{ title: 'Plan', Count: 2 }, [{ path: 'Count', message: 'is not a known field', hint: 'Did you mean count?' }]],
  [
    { title: 'Plan', steps: [{ key: 'a', depend_on: ['b'] }] },
    [{ path: 'steps[0].depend_on', message: 'is not a known field', hint: 'Did you mean depends_on?' }],
  ],
  [
    { title: 'Plan', steps: [{ key: 'a', depends_on: ['b', 3] }] },
    [{ path: 'steps[0].depends_on[1]', message: 'must be a string, not a number' }],
  ],
  [
    { title: 'Plan', shape: { type: 'square', side: 1, radius: 2 } },
    [{ path: 'shape.radius', message: 'is not a known field', hint: 'Known here: type, side.' }],
  ],
  ['no object', [{ path: '', message: 'the arguments must be one JSON object' }]],
  [[1], [{ path: '', message: 'the arguments must be one JSON object' }]],
])('%j is refused with its path', (args, expected) => {
  expect(faults(args)).toEqual(expected)
})

test('the summary counts further faults and never shows the library that found them', () => {
  try {
    parseArguments(tool, { count: 'x', nope: 1 })
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ number: 'E0001', code: 'INVALID_INPUT' })
    expect((error as Error).message).toMatch(/\(and 2 more\)$/)
    expect(JSON.stringify((error as StoryPortalError).details)).not.toMatch(/zod|Invalid input|expected/i)
  }
})

test('every schema names one type or branches of one type each, and says something', () => {
  const { definition } = compileTool(
    defineTool({
      name: 'keep_things',
      description: 'Keeps.',
      effect: 'create',
      input: {
        any: z.unknown().describe('Any JSON.'),
        maybe: z.string().max(9).nullable(),
        list: z.array(z.unknown()).max(3),
        fields: z.record(z.string(), z.unknown()),
      },
      output: { next_cursor: z.string().nullable(), items: z.array(z.object({ at: z.number().nullable() })) },
      run: async () => ({ next_cursor: null, items: [] }),
    }),
  )
  expect(definition.inputSchema['properties']).toMatchObject({
    any: { description: 'Any JSON.', additionalProperties: true },
    maybe: { anyOf: [{ type: 'string', maxLength: 9 }, { type: 'null' }] },
    list: { type: 'array', maxItems: 3 },
    fields: { type: 'object' },
  })
  expect(definition.outputSchema['properties']).toMatchObject({
    next_cursor: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    items: { items: { properties: { at: { anyOf: [{ type: 'number' }, { type: 'null' }] } } } },
  })
  expect(JSON.stringify(definition)).not.toMatch(/"type":\[|:\{\}/)
})
