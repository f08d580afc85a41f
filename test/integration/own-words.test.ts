import { isStoryPortalError, toErrorBody } from '@story-portal/shared/errors'
import type { JsonSchema } from '@story-portal/shared/mcp'
import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'
import { tools } from '../contract/suite.ts'

const SERVERS = ['runtime', 'tool-execution', 'data', 'service-hub'] as const

/** What libraries, the engine and the database say; a caller must never read it. */
const FOREIGN = [
  /\bInvalid (input|option|string|type|ISO|key|element|value|UUID|number|enum|date|regular)/,
  /\b(Expected|expected) .*(received|one of)/,
  /\bToo (big|small)\b/,
  /\bUnrecognized key/,
  /\bmust (NOT|be (string|object|array|integer|number|boolean|null|equal)\b|have required|pass |match (pattern|exactly|a schema))/,
  /Converting circular|serialize a BigInt|call stack|string length/,
  /in JSON at position|is not valid JSON|Unexpected (token|end|non-whitespace)/,
  /\b(Syntax|Type|Range|Reference)Error\b|Cannot read|is not a function|is not iterable/,
  /violates|syntax error|invalid input syntax|out of range for type|relation "|column "/,
]

const BAD: unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e30,
  '',
  'yesterday',
  'x'.repeat(300_000),
  [],
  [null, 5, 'x'],
  {},
  { a: { b: [1] } },
]

interface Case {
  server: string
  tool: string
  args: Record<string, unknown>
}

/** One good-looking value for each required field, so that only the field under test is wrong. */
function plausible(schema: JsonSchema): unknown {
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  const byType: Record<string, unknown> = {
    string: 'goal',
    integer: 1,
    number: 1,
    boolean: true,
    array: [],
    object: {},
  }
  return byType[String(schema['type'])] ?? 'x'
}

function badCalls(): Case[] {
  return tools.flatMap(({ server, definition: { name, inputSchema } }) => {
    const properties = (inputSchema['properties'] ?? {}) as Record<string, JsonSchema>
    const required = (inputSchema['required'] ?? []) as string[]
    const fine = Object.fromEntries(required.map((field) => [field, plausible(properties[field] ?? {})]))
    return Object.keys(properties).flatMap((field) =>
      BAD.map((value) => ({ server: server.name, tool: name, args: { ...fine, [field]: value } })),
    )
  })
}

const KINDS = ['goal', 'agent', 'session', 'evaluation', 'feedback']
const FIELDS = [
  'title',
  'description',
  'status',
  'priority',
  'name',
  'role',
  'score',
  'rating',
  'target_id',
  'started_at',
  'data',
  'deadline',
  'limits',
  'constraints',
  'completes_with',
]

function badRecords(): Case[] {
  const data = KINDS.flatMap((kind) =>
    FIELDS.flatMap((field) =>
      BAD.map((value) => ({
        server: 'data',
        tool: 'create_record',
        args: { kind, data: { title: 'x', [field]: value } },
      })),
    ),
  )
  const operators = ['eq', 'in', 'gt', 'contains', 'is_null', 'nope']
  const filters = ['created_at', 'status', 'title', 'version', 'constraints', 'no_field'].flatMap((field) =>
    operators.flatMap((operator) =>
      BAD.map((value) => ({
        server: 'data',
        tool: 'list_records',
        args: { kind: 'goal', filter: { [field]: { [operator]: value } } },
      })),
    ),
  )
  return [...data, ...filters]
}

const TASK_FIELDS = [
  'key',
  'kind',
  'depends_on',
  'when',
  'for_each',
  'input',
  'retry',
  'timeout_ms',
  'compensate',
  'code',
  'tool',
  'version',
  'permissions',
  'limits',
  'capabilities',
  'instructions',
  'language',
]

function badPlans(): Case[] {
  const plan = (task: object) => ({ server: 'planning', tool: 'validate_plan', args: { tasks: [task] } })
  const fields = TASK_FIELDS.flatMap((field) =>
    BAD.map((value) => plan({ key: 'a', kind: 'code', code: 'return 1', [field]: value })),
  )
  const retries = ['max_attempts', 'factor', 'x'].flatMap((field) =>
    BAD.map((value) => plan({ key: 'a', kind: 'assistant', retry: { [field]: value } })),
  )
  const templates = ['ask_each', 'draft_review', 'map_reduce'].flatMap((template) =>
    ['questions', 'combine', 'brief', 'criteria', 'items', 'map', 'reduce', 'x'].flatMap((field) =>
      BAD.map((value) => ({
        server: 'planning',
        tool: 'create_plan',
        args: { goal_id: 'gol_x', template, input: { [field]: value } },
      })),
    ),
  )
  return [...fields, ...retries, ...templates]
}

const CODE: Case[] = [
  'const a = {}; a.a = a; return a',
  'return { n: 1n }',
  'return 1n',
  'let a = []; for (let i = 0; i < 100000; i++) a = [a]; return a',
  'return () => 1',
].map((code) => ({ server: 'tool-execution', tool: 'run_code', args: { code } }))

const SCHEMAS: Case[] = [
  { type: 'text' },
  { minLength: 'three' },
  { required: 'a' },
  { properties: [] },
  { enum: 5 },
].flatMap((schema) => [
  {
    server: 'tool-execution',
    tool: 'register_tool',
    args: {
      name: 'a_tool',
      version: '1.0.0',
      description: 'x',
      input_schema: schema,
      source: { type: 'javascript', code: 'return 1' },
    },
  },
  { server: 'data', tool: 'set_configuration', args: { key: 'a.b', value: 1, schema } },
  { server: 'data', tool: 'set_configuration', args: { key: 'a.b', value: 1, schema: { type: 'object', ...schema } } },
])

test('no bad argument of any tool is answered with the words of a library, the engine or the database', async () => {
  const { host, caller } = await open('planning', { with: SERVERS })
  const foreign: unknown[] = []
  let refused = 0
  for (const { server, tool, args } of [...badCalls(), ...badRecords(), ...badPlans(), ...CODE, ...SCHEMAS]) {
    const answer = await host.call(server, tool, args, { caller, timeout_ms: 20_000 }).catch((error: unknown) => {
      refused += 1
      expect(isStoryPortalError(error)).toBe(true)
      expect([server, tool, toErrorBody(error).error.code]).not.toContain('INTERNAL')
      return toErrorBody(error)
    })
    const { error, faults } = answer as {
      error?: { number: string; message: string; hint: string; details?: { faults?: unknown } }
      faults?: unknown
    }
    const told = JSON.stringify([
      error?.message,
      error?.hint,
      error?.details?.faults,
      tool === 'validate_plan' ? faults : undefined,
    ])
    // What the caller's own code throws, and where it does not parse, are told as they are.
    if (error?.number === 'E3001' || error?.number === 'E3002') continue
    const found = FOREIGN.filter((words) => words.test(told))
    if (found.length > 0)
      foreign.push({ server, tool, args: JSON.stringify(args).slice(0, 200), told: told.slice(0, 400) })
  }
  expect(foreign).toEqual([])
  expect(refused).toBeGreaterThan(1_000)
})
