import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../../../shared/testing/property.ts'
import { editorHooks } from './editor-hooks.ts'
import { addHooks, checkSettings, hookStates, removeHooks } from './hook-settings.ts'

const GROUPS = editorHooks('/somewhere/else')

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Settings = { hooks?: Record<string, Json[]>; [name: string]: unknown }

/** Prints JSON with gaps of its own between all tokens. */
function printed(value: unknown, gap: () => string): string {
  if (Array.isArray(value)) return `[${value.map((one) => gap() + printed(one, gap) + gap()).join(',') || gap()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(
    ([name, one]) => `${gap()}${JSON.stringify(name)}${gap()}:${gap()}${printed(one, gap)}${gap()}`,
  )
  return `{${members.join(',') || gap()}}`
}

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
const lists = fc.dictionary(
  fc.constantFrom('SessionStart', 'Stop', 'PostToolUse', 'PreToolUse', 'Notification', '__proto__', '7'),
  fc.array(json, { minLength: 1, maxLength: 3 }),
  { minKeys: 1 },
)
const settings = fc
  .tuple(fc.dictionary(fc.string(), json, { minKeys: 1 }), fc.option(lists, { nil: undefined }))
  .map(([others, hooks]): Settings => {
    const { hooks: _hooks, ...rest } = others
    const all = Object.keys(rest).length > 0 ? rest : { model: 'x' }
    return hooks === undefined ? all : { ...all, hooks }
  })
const style = fc.oneof(
  fc.constantFrom(undefined, 1, 2, 4, '\t').map((unit) => (value: unknown) => JSON.stringify(value, null, unit)),
  fc.constant((value: unknown) => `${JSON.stringify(value, null, 2).replaceAll('\n', '\r\n')}\r\n`),
  fc
    .array(fc.constantFrom('', ' ', '\n', '\n  ', '\t', '\r\n '), { minLength: 1, maxLength: 20 })
    .map((gaps) => (value: unknown) => {
      let at = 0
      return printed(value, () => gaps[at++ % gaps.length] ?? '')
    }),
)

test('whatever the settings are and however they are written: the hooks are added, nothing else changes, and all of it can be undone', async () => {
  await checkProperty(
    'hooks in settings',
    fc.tuple(settings, style),
    ([value, print]) => {
      const text = print(value)
      checkSettings(text, 'settings.json')
      const before = JSON.parse(text) as Settings
      const added = addHooks(text, GROUPS)
      const own = Object.fromEntries(
        Object.entries(GROUPS).map(([event, group]) => {
          const had = before.hooks !== undefined && Object.hasOwn(before.hooks, event) ? before.hooks[event] : []
          return [event, [...(had ?? []), group]]
        }),
      )
      const after = JSON.parse(added) as Settings
      expect({ ...after, hooks: { ...after.hooks } }).toEqual({ ...before, hooks: { ...before.hooks, ...own } })
      expect(Object.keys(after).slice(0, Object.keys(before).length)).toEqual(Object.keys(before))
      expect(new Set(Object.values(hookStates(added, GROUPS)))).toEqual(new Set(['installed']))
      expect(removeHooks(added, GROUPS)).toBe(text)
    },
    { runs: 500 },
  )
})

test('the additions look like what is there', () => {
  const text =
    '{\n    "model": "x",\n    "hooks": {\n        "Stop": [\n            { "hooks": [] }\n        ]\n    }\n}\n'
  const short = { Stop: { hooks: [] }, PreCompact: { hooks: [] } }
  expect(addHooks(text, short)).toBe(
    '{\n    "model": "x",\n    "hooks": {\n        "Stop": [\n            { "hooks": [] },\n            {\n                "hooks": []\n            }\n        ],\n        "PreCompact": [\n            {\n                "hooks": []\n            }\n        ]\n    }\n}\n',
  )
  expect(addHooks('{}', { Stop: { hooks: [] } })).toBe(
    '{\n  "hooks": {\n    "Stop": [\n      {\n        "hooks": []\n      }\n    ]\n  }\n}',
  )
  expect(addHooks('{"a":1,"hooks":{}}', { Stop: { hooks: [] } })).toBe('{"a":1,"hooks":{"Stop":[{"hooks":[]}]}}')
  expect(addHooks('{"a":1, "hooks":{"Stop":[]}, "hooks":{"Stop":[1]}}', { Stop: { hooks: [] } })).toBe(
    '{"a":1, "hooks":{"Stop":[]}, "hooks":{"Stop":[1,{"hooks":[]}]}}',
  )
})

test('what somebody has changed by hand stays: another timeout, another matcher, a handler of theirs in our group', () => {
  const installed = JSON.parse(addHooks('{"model": "x"}', GROUPS))
  installed.hooks.Stop[0].hooks[0].timeout = 60
  installed.hooks.PostToolUse[0].matcher = 'Write'
  installed.hooks.PreCompact[0].hooks.push({ type: 'command', command: 'mine' })
  const left = removeHooks(JSON.stringify(installed, null, 2), GROUPS)
  expect(JSON.parse(left)).toEqual({
    model: 'x',
    hooks: {
      Stop: installed.hooks.Stop,
      PostToolUse: installed.hooks.PostToolUse,
      PreCompact: [{ hooks: [{ type: 'command', command: 'mine' }] }],
    },
  })
  expect(hookStates(left, GROUPS)).toEqual({
    SessionStart: 'absent',
    PreCompact: 'absent',
    PostToolUse: 'edited',
    Stop: 'edited',
    SessionEnd: 'absent',
  })
})

test.each([
  ['', 'E0294', 'there is nothing.'],
  ['{"a": 1,}', 'E0294', '"}" at line 1, column 9.'],
  ['// mine\n{}', 'E0294', 'a value is none;'],
  ['{"a": ', 'E0294', 'the end comes too early.'],
  ['[]', 'E0295', 'it all is not an object'],
  ['{"hooks": []}', 'E0295', 'hooks is not an object'],
  ['{"hooks": {"Stop": {}}}', 'E0295', 'hooks.Stop is not a list'],
  [JSON.stringify({ a: 'x'.repeat(1024 * 1024) }), 'E0295', 'it all is not under 1 MiB'],
])('settings that are none are refused: %.40s', (text, number, reason) => {
  expect(() => checkSettings(text, 's.json')).toThrow(
    expect.objectContaining({ number, message: expect.stringContaining(reason) }),
  )
})
