import type { ToolDefinition } from '@story-portal/shared/mcp'
import { expect, test } from 'vitest'
import { changeOf, riseOf } from './compatibility.ts'

const id = { type: 'string', maxLength: 10, description: 'Id' }
const mode = { type: 'string', enum: ['a', 'b'] }

function tool(
  change: { input?: object; required?: string[]; output?: object; name?: string; description?: string } = {},
) {
  const { name = 'get_x', description = 'Returns x.', input = { id, mode }, required = ['id'], output } = change
  return {
    name,
    description,
    inputSchema: { type: 'object', properties: input, required },
    outputSchema: { type: 'object', properties: output ?? { x: { type: 'number' } }, required: ['x'] },
  } as unknown as ToolDefinition
}

test.each([
  ['nothing', tool(), 'none'],
  ['a description', tool({ description: 'Returns an x.' }), 'patch'],
  ['the description of a field', tool({ input: { id: { ...id, description: 'Its id' }, mode } }), 'patch'],
  ['a new optional field', tool({ input: { id, mode, more: { type: 'string' } } }), 'minor'],
  ['a wider limit', tool({ input: { id: { ...id, maxLength: 20 }, mode } }), 'minor'],
  ['another value', tool({ input: { id, mode: { ...mode, enum: ['a', 'b', 'c'] } } }), 'minor'],
  ['a new field of the result', tool({ output: { x: { type: 'number' }, y: { type: 'string' } } }), 'minor'],
  ['a narrower limit', tool({ input: { id: { ...id, maxLength: 5 }, mode } }), 'major'],
  ['a value less', tool({ input: { id, mode: { ...mode, enum: ['a'] } } }), 'major'],
  ['a field less', tool({ input: { id } }), 'major'],
  ['another type', tool({ input: { id: { type: 'number' }, mode } }), 'major'],
  ['a required field', tool({ required: ['id', 'mode'] }), 'major'],
  ['a field less in the result', tool({ output: {} }), 'major'],
  ['another name', tool({ name: 'get_y' }), 'major'],
] as const)('%s is a change by: %s', (_what, after, level) => {
  expect(changeOf([tool()], [after])).toBe(level)
})

test('a new tool is a minor step, a lost one a major', () => {
  expect(changeOf([tool()], [tool(), tool({ name: 'get_y' })])).toBe('minor')
  expect(changeOf([tool(), tool({ name: 'get_y' })], [tool()])).toBe('major')
})

test.each([
  ['1.2.3', '1.2.3', 'none'],
  ['1.2.3', '1.2.4', 'patch'],
  ['1.2.3', '1.3.0', 'minor'],
  ['1.2.3', '2.0.0', 'major'],
  ['1.2.3', '1.1.9', 'none'],
] as const)('from %s to %s is a %s step', (before, after, level) => {
  expect(riseOf(before, after)).toBe(level)
})
