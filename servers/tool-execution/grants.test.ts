import { expect, test } from 'vitest'
import { GRANT, isGranted, narrowScopes, toolRef } from './grants.ts'

test('a name from code is the tool it means', () => {
  expect(toolRef('tool_execution.run_code')).toEqual({ server: 'tool-execution', tool: 'run_code' })
})

test.each([
  [[], 'data.append_event', false],
  [['data.append_event'], 'data.append_event', true],
  [['data.append_event'], 'data.append_events', false],
  [['data.*'], 'data.append_event', true],
  [['data.*'], 'planning.create_goal', false],
  [['tool_execution.run_code'], 'tool_execution.run_code', true],
  [['tool-execution.*'], 'tool_execution.run_code', true],
  [['*'], 'planning.create_goal', true],
])('%j grants %s: %s', (grants, name, expected) => {
  expect(isGranted(grants, toolRef(name))).toBe(expected)
})

test.each(['data', '*.*', '*.get_record', 'data.*.x', '', 'Data.get', 'data.get;drop'])('%j is no grant', (text) => {
  expect(GRANT.test(text)).toBe(false)
})

const effectOf = ({ tool }: { tool: string }) => (tool.startsWith('get') ? 'read' : undefined)

test.each([
  ['all of it', ['*'], ['data.*', 'planning.create_goal'], ['data:*', 'planning:create_goal']],
  ['a grant of everything adds nothing', ['data:read'], ['*'], ['data:read']],
  ['the scope is the smaller', ['data:get_record'], ['data.*'], ['data:get_record']],
  ['both name a server', ['data:*'], ['data.*'], ['data:*']],
  ['another server', ['planning:*'], ['data.*'], []],
  ['another tool', ['data:get_record'], ['data.append_event'], []],
  ['an effect on a server', ['*:read'], ['data.*'], ['data:read']],
  ['an effect that the tool has', ['*:read'], ['data.get_record'], ['data:get_record']],
  ['an effect that the tool has not, or nobody knows', ['data:read'], ['data.append_event'], []],
  ['nothing granted', ['*'], [], []],
])('narrowing: %s', (_name, scopes, grants, expected) => {
  expect(narrowScopes(scopes, grants, effectOf)).toEqual(expected)
})
