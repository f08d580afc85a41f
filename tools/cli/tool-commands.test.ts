import { expect, test } from 'vitest'
import type { CommittedServer } from '../registry.ts'
import { normaliseArguments, parseField } from './tool-commands.ts'

const servers = [
  {
    name: 'tool-execution',
    tools: [{ name: 'run_code', inputSchema: { type: 'object', properties: { code: {}, idempotency_key: {} } } }],
  },
] as unknown as CommittedServer[]

test('hyphens and underscores name the same tool and field; values are left alone', () => {
  const args = ['tool-execution', 'run-code', '--idempotency-key=a-b', '--code', 'return a-b', '--json', '--un-known']
  expect(normaliseArguments(args, servers)).toEqual([
    'tool-execution',
    'run_code',
    '--idempotency_key=a-b',
    '--code',
    'return a-b',
    '--json',
    '--un-known',
  ])
})

test.each([
  [['up', '--quiet']],
  [['nowhere', 'run-code']],
  [['tool-execution', 'no-such']],
  [['tool-execution', '--help']],
  [[]],
])('%j is nobody else to change', (args) => {
  expect(normaliseArguments(args, servers)).toEqual(args)
})

test.each([
  ['7', { type: 'string' }, '7'],
  ['{"a":1}', { type: 'string' }, '{"a":1}'],
  ['7', { type: 'integer' }, 7],
  ['0.5', { type: 'number' }, 0.5],
  ['a, b', { type: 'array' }, ['a', 'b']],
  ['["a,b"]', { type: 'array' }, ['a,b']],
  ['{"a":1}', { type: 'object' }, { a: 1 }],
  ['null', { anyOf: [{ type: 'string' }, { type: 'null' }] }, null],
  ['text', { anyOf: [{ type: 'string' }, { type: 'number' }] }, 'text'],
  ['12', {}, 12],
  ['plain', {}, 'plain'],
] as const)('%s for %j', (text, schema, value) => {
  expect(parseField(text, schema as never)).toEqual(value)
})

test.each(['x', '', ' ', '1x'])('%j is no number and says so', (text) => {
  expect(() => parseField(text, { type: 'integer' })).toThrow('is not a number')
})
