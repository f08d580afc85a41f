import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkSchema, faultsOf, type JsonSchema } from './json-schema.ts'

const refused = expect.objectContaining({ number: 'E3040', code: 'INVALID_INPUT' })

test('a usable schema finds the faults of a value, with their paths', () => {
  const schema: JsonSchema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { items: { type: 'array', items: { $ref: '#/$defs/item' } }, 'a/b': { type: 'integer' } },
    required: ['items'],
    additionalProperties: false,
    $defs: { item: { type: 'object', properties: { id: { type: 'string', pattern: '^[a-z]+$' } } } },
  }
  checkSchema(schema, 'input_schema')
  expect(faultsOf(schema, { items: [{ id: 'ok' }] }, 'arguments')).toEqual([])
  expect(faultsOf(schema, { items: [{ id: 'ok' }, { id: 'NO' }] }, 'arguments')).toEqual([
    { path: 'arguments.items[1].id', message: 'must match ^[a-z]+$' },
  ])
  expect(faultsOf(schema, { items: [], more: 1 }, 'arguments')).toMatchObject([{ path: 'arguments.more' }])
  expect(faultsOf(schema, { items: [], 'a/b': 'x' }, 'arguments')).toMatchObject([{ path: 'arguments.a/b' }])
})

test('a pattern is not asked about a string that is too long for it', () => {
  const schema = { type: 'string', pattern: '^a+$' }
  expect(faultsOf(schema, 'a'.repeat(1_024), 'x')).toEqual([])
  expect(faultsOf(schema, 'a'.repeat(1_025), 'x')).toHaveLength(1)
})

const laughs = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => [
    `d${i}`,
    { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
  ]),
)

test.each<[string, JsonSchema]>([
  ['a reference to itself', { $ref: '#' }],
  [
    'a cycle of references',
    { $defs: { a: { items: { $ref: '#/$defs/b' } }, b: { items: { $ref: '#/$defs/a' } } }, $ref: '#/$defs/a' },
  ],
  ['references that multiply', { $defs: { ...laughs, d20: { type: 'string' } }, $ref: '#/$defs/d0' }],
  ['a reference into nothing', { $ref: '#/$defs/none' }],
  ['a reference to another document', { $ref: 'https://example.com/schema.json' }],
  ['an id of its own', { $id: 'https://example.com/a', type: 'string' }],
  ['a dynamic reference', { $dynamicRef: '#a' }],
  ['an unknown type', { type: 'strin' }],
  ['a keyword with a wrong value', { minLength: 'three' }],
  ['an evil pattern', { properties: { a: { pattern: '(a+)+$' } } }],
  ['an evil pattern as a key', { patternProperties: { '(a+)+$': {} } }],
  ['unbounded unique items', { type: 'array', uniqueItems: true }],
  ['10 MB', { description: 'x'.repeat(10_000_000) }],
])('%s is refused', (_name, schema) => {
  expect(() => checkSchema(schema, 'input_schema')).toThrow(refused)
})

test('a schema nested too deep is refused, however it is nested', () => {
  const keywords = ['items', 'not', 'additionalProperties', 'contains']
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...keywords), { minLength: 34, maxLength: 60 }), (path) => {
      const schema = path.reduce<JsonSchema>((inner, keyword) => ({ [keyword]: inner }), { type: 'string' })
      expect(() => checkSchema(schema, 'input_schema')).toThrow(refused)
    }),
  )
})
