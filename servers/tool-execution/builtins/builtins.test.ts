import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { committedBuiltins } from './manifest.ts'

let tools: Opened
let host: string
const seen: string[] = []
const receiver = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`)
  if (request.url === '/json') response.setHeader('content-type', 'application/json').end('{"a":1}')
  else response.end('hello')
})

beforeAll(async () => {
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const config = { fetch: { privateHosts: host } }
  tools = await open('tool-execution', {
    ...{ with: ['data', 'supervision'], start: true, config },
    caller: { tenant_id: 'local' },
  })
})
afterAll(() => receiver.close())

const invoke = async (tool: string, args: object) =>
  (await tools.call('invoke_tool', { tool: `std_${tool}`, arguments: args })).invocation

test('all are there after a start, as ordinary registered tools, and found by what they are for', async () => {
  const { items } = await tools.call('list_registered_tools', { limit: 100 })
  const names = items.map(({ name }: { name: string }) => name)
  expect(names.toSorted()).toEqual(committedBuiltins().map(({ name }) => name))
  const found = await tools.call('search_registered_tools', { query: 'convert csv to json' })
  expect(found.items[0]).toMatchObject({ tool: 'std_data_convert' })
})

test('a second start registers nothing again; what was deprecated stays deprecated', async () => {
  const retired = { tool: 'std_encode', version: '1.0.0', sunset_at: '2099-01-01T00:00:00Z' }
  await tools.call('deprecate_tool', retired)
  const again = await open('tool-execution', { start: true, caller: { tenant_id: 'local' } })
  const { items } = await again.call('list_registered_tools', { limit: 100 })
  expect(items).toHaveLength(committedBuiltins().length)
  expect(await again.call('get_registered_tool', { tool: 'std_encode' })).toMatchObject({
    tool: { status: 'deprecated' },
  })
})

test('their names are theirs', async () => {
  const args = {
    version: '9.0.0',
    description: 'x',
    input_schema: {},
    source: { type: 'javascript', code: 'return 1' },
  }
  expect(await tools.callError('register_tool', { name: 'std_hash', ...args })).toMatchObject({
    details: { faults: [{ path: 'name' }] },
  })
})

const CSV = 'name,age\nAda,36\n"Grace, H.",85\n'
const ROWS = [
  { team: 'a', points: 1, by: 'x' },
  { team: 'b', points: 5 },
  { team: 'a', points: 4, by: 'y' },
  { team: 'a', points: null, by: 'x' },
]
const TEXT = '# Title\n\nintro\n\n## One `code`\n\n```\n# not one\n```\n\n### Deep\n\n## One code\n'
const PATCH = [
  'diff --git a/one.txt b/one.txt',
  '--- a/one.txt',
  '+++ b/one.txt',
  '@@ -1,2 +1,2 @@',
  ' first',
  '-second',
  '+2nd',
  'diff --git a/new.txt b/new.txt',
  'new file mode 100644',
  '--- /dev/null',
  '+++ b/new.txt',
  '@@ -0,0 +1 @@',
  '+fresh',
  'diff --git a/old.txt b/old.txt',
  'deleted file mode 100644',
  '--- a/old.txt',
  '+++ /dev/null',
  '@@ -1 +0,0 @@',
  '-stale',
  '',
].join('\n')
const FILES = { 'one.txt': 'first\nsecond\n', 'old.txt': 'stale\n', 'other.txt': 'x' }
const PATCHED = { 'one.txt': 'first\n2nd\n', 'new.txt': 'fresh\n', 'old.txt': null }

describe('what each does', () => {
  test.each([
    ['text_diff', { before: 'a\nb\n', after: 'a\nc\nd\n' }, { identical: false, added: 2, removed: 1 }],
    ['text_diff', { before: 'a', after: 'a' }, { identical: true, added: 0, removed: 0, diff: '' }],
    ['text_diff', { before: 'a \n', after: 'a\n', ignore_whitespace: true }, { identical: true }],
    ['patch_apply', { files: FILES, patch: PATCH }, { files: PATCHED }],
    [
      'patch_apply',
      { files: { 'one.txt': 'first\n2nd\n', 'new.txt': 'fresh\n' }, patch: PATCH, reverse: true },
      { files: { 'one.txt': 'first\nsecond\n', 'old.txt': 'stale\n', 'new.txt': null } },
    ],
    [
      'regex_extract',
      { text: 'a=1\nb=22', pattern: '(?<key>\\w)=(\\d+)' },
      {
        matches: [
          { text: 'a=1', index: 0, line: 1, groups: ['a', '1'], named: { key: 'a' } },
          { text: 'b=22', index: 4, line: 2, groups: ['b', '22'] },
        ],
        more: false,
      },
    ],
    ['regex_extract', { text: 'aaa', pattern: 'a|', limit: 2 }, { more: true }],
    [
      'template_render',
      { template: '{{#list}}<{{name}}>{{/list}}{{gone}}', data: { list: [{ name: 'a&b' }, { name: { x: 1 } }] } },
      { text: '<a&b><{"x":1}>', missing: ['gone'] },
    ],
    ['template_render', { template: '{{a}}', data: { a: '<b>' }, escape: 'html' }, { text: '&lt;b&gt;' }],
    [
      'json_query',
      {
        data: {
          orders: [
            { id: 1, sum: 10 },
            { id: 2, sum: 200 },
          ],
        },
        expression: 'orders[sum > $least].id',
        variables: { least: 50 },
      },
      { found: true, result: 2 },
    ],
    ['json_query', { data: {}, expression: 'nothing.there' }, { found: false, result: null }],
    [
      'data_convert',
      { text: CSV, from: 'csv', to: 'json', types: true },
      {
        text: JSON.stringify(
          [
            { name: 'Ada', age: 36 },
            { name: 'Grace, H.', age: 85 },
          ],
          null,
          2,
        ),
      },
    ],
    ['data_convert', { text: '- {a: 1}\n- {b: "x,y"}\n', from: 'yaml', to: 'csv' }, { text: 'a,b\n1,\n,"x,y"\n' }],
    ['data_convert', { text: '{"a": [1, null]}', from: 'json', to: 'yaml' }, { text: 'a:\n  - 1\n  - null\n' }],
    ['json_validate', { data: { a: 1 }, schema: { required: ['a'] } }, { valid: true, faults: [] }],
    [
      'json_validate',
      { data: { a: 'x' }, schema: { properties: { a: { type: 'integer' } }, required: ['b'] } },
      {
        valid: false,
        faults: [
          { path: '', rule: 'required', expected: 'b' },
          { path: '/a', rule: 'type', expected: 'integer' },
        ],
      },
    ],
    [
      'data_aggregate',
      {
        rows: ROWS,
        group_by: ['team'],
        measures: [
          { op: 'count' },
          { op: 'sum', field: 'points' },
          { op: 'median', field: 'points' },
          { op: 'distinct', field: 'by', as: 'people' },
        ],
      },
      {
        groups: [
          { team: 'a', count: 3, sum_points: 5, median_points: 2.5, people: 2 },
          { team: 'b', count: 1, sum_points: 5, median_points: 5, people: 0 },
        ],
      },
    ],
    [
      'data_aggregate',
      { rows: [], measures: [{ op: 'count' }, { op: 'max', field: 'x' }] },
      { groups: [{ count: 0, max_x: null }] },
    ],
    [
      'data_aggregate',
      { rows: Array.from({ length: 10 }, () => ({ x: 0.1 })), measures: [{ op: 'sum', field: 'x', as: 'x' }] },
      { groups: [{ x: 1 }] },
    ],
    [
      'markdown_outline',
      { text: TEXT },
      {
        headings: [
          { level: 1, text: 'Title', line: 1, lines: 13, anchor: 'title' },
          { level: 2, text: 'One code', line: 5, lines: 8, anchor: 'one-code' },
          { level: 3, text: 'Deep', line: 11, lines: 2, anchor: 'deep' },
          { level: 2, text: 'One code', line: 13, lines: 1, anchor: 'one-code-1' },
        ],
      },
    ],
    [
      'markdown_tables',
      { text: '## Prices\n\n| a | **b** |\n|---|---|\n| 1 | `x` |\n\n> | c |\n> |---|\n> | [l](u) |\n' },
      {
        tables: [
          { heading: 'Prices', columns: ['a', 'b'], rows: [['1', 'x']] },
          { heading: 'Prices', columns: ['c'], rows: [['l']] },
        ],
      },
    ],
    [
      'time_calculate',
      { time: '2026-03-29T01:30', zone: 'Europe/Berlin', add: { hours: 1 }, format: 'dd.LL.yyyy HH:mm' },
      {
        iso: '2026-03-29T03:30:00.000+02:00',
        utc: '2026-03-29T01:30:00.000Z',
        weekday: 'Sunday',
        iso_week: '2026-W13',
        daylight_saving: true,
        formatted: '29.03.2026 03:30',
      },
    ],
    [
      'time_calculate',
      { time: '2024-01-31', add: { months: 1 }, until: '2024-03-01T12:00Z' },
      { iso: '2024-02-29T00:00:00.000Z', between: { calendar: { days: 1, hours: 12 }, total_seconds: 129600 } },
    ],
    ['hash', { text: 'abc' }, { hex: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', bytes: 3 }],
    ['hash', { text: 'ä€😀', algorithm: 'md5' }, { bytes: 9 }],
    ['hash', { base64: 'AAH/', algorithm: 'sha1' }, { bytes: 3 }],
    [
      'hash',
      { text: 'what do ya want for nothing?', key: 'Jefe' },
      { hex: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' },
    ],
    ['encode', { text: 'ä€😀', as: 'base64' }, { text: 'w6Tigqzwn5iA' }],
    ['encode', { text: 'w6Tigqzwn5iA', as: 'base64', decode: true }, { text: 'ä€😀' }],
    ['encode', { text: 'é', as: 'hex' }, { text: 'c3a9' }],
    ['encode', { text: 'c3a9', as: 'hex', decode: true }, { text: 'é' }],
    ['encode', { text: 'a b&c', as: 'url' }, { text: 'a%20b%26c' }],
    ['encode', { text: '<a href="x">', as: 'html' }, { text: '&lt;a href=&quot;x&quot;&gt;' }],
    ['encode', { text: '&lt;&#x41;&#66;&unknown;', as: 'html', decode: true }, { text: '<AB&unknown;' }],
  ])('std_%s of %j', async (tool, args, expected) => {
    const done = await invoke(tool, args)
    expect([done.status, done.error?.message]).toEqual(['succeeded', undefined])
    expect(done.output).toMatchObject(expected)
  })
})

describe('what each refuses, in words of its own', () => {
  test.each([
    ['patch_apply', { files: {}, patch: PATCH }, 'files has no one.txt, which the patch changes'],
    ['patch_apply', { files: { ...FILES, 'new.txt': '' }, patch: PATCH }, 'files has new.txt already'],
    ['patch_apply', { files: { ...FILES, 'one.txt': 'a\nb\n' }, patch: PATCH }, 'part 1, at line 1, is not there'],
    ['patch_apply', { files: {}, patch: 'hello' }, 'patch is not a unified diff'],
    ['patch_apply', { files: {}, patch: '--- a/x\n+++ b/x\n@@ -1,9 +1 @@\n-a\n' }, 'patch is not a unified diff'],
    ['regex_extract', { text: '', pattern: '(' }, 'pattern is not a regular expression'],
    ['template_render', { template: '{{#a}}' }, 'template has a tag that is not closed'],
    ['json_query', { data: {}, expression: 'a[' }, 'expression does not parse at character 2'],
    ['json_query', { data: { a: 'x' }, expression: 'a + 1' }, 'expression can not be evaluated'],
    ['data_convert', { text: '{', from: 'json', to: 'csv' }, 'text is not JSON'],
    ['data_convert', { text: '[{"a":{}}]', from: 'json', to: 'csv' }, 'no list of flat objects'],
    ['data_convert', { text: 'a: [', from: 'yaml', to: 'json' }, 'text is not YAML: line 1'],
    ['data_convert', { text: 'a,b\n1\n', from: 'csv', to: 'json' }, 'fewer fields in row 1'],
    ['data_convert', { text: 'a,a\n1,2\n', from: 'csv', to: 'json' }, 'names a column twice'],
    ['json_validate', { data: 1, schema: { type: 'strange' } }, 'schema is not a JSON Schema'],
    ['json_validate', { data: 1, schema: { $ref: 'http://other/x' } }, 'refers to something outside'],
    ['data_aggregate', { rows: [], measures: [{ op: 'sum' }] }, 'measures.0.field is needed for sum'],
    ['data_aggregate', { rows: [{ a: 'x' }], measures: [{ op: 'sum', field: 'a' }] }, 'has a a that is no number'],
    ['time_calculate', { time: 'yesterday' }, 'time is not a time in ISO 8601'],
    ['time_calculate', { time: 'now', zone: 'Mars/Base' }, 'zone is not a time zone'],
    ['time_calculate', { time: 'now', add: { years: 1e9 } }, 'add leads beyond'],
    ['hash', { base64: '*' }, 'base64 is not base64'],
    ['encode', { text: '/w==', as: 'base64', decode: true }, 'text is not base64 of a text in UTF-8'],
    ['encode', { text: '%zz', as: 'url', decode: true }, 'text is not url of a text'],
    ['encode', { text: 'abc', as: 'hex', decode: true }, 'text is not hex of a text'],
  ])('std_%s of %j', async (tool, args, problem) => {
    const { error } = await invoke(tool, args)
    expect(error).toMatchObject({ number: 'E3001', message: expect.stringContaining(`InvalidInput: `) })
    expect(error.message).toContain(problem)
  })

  test('a pattern that never ends, and aliases that multiply, end with the run', async () => {
    const slow = { tool: 'std_regex_extract', arguments: { text: `${'a'.repeat(40)}!`, pattern: '(a+)+$' } }
    const { invocation } = await tools.call('invoke_tool', { ...slow, timeout_ms: 500 })
    expect(invocation).toMatchObject({ error: { number: 'E3010' } })
    const laughs = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`)
    const bomb = { text: ['a0: &a0 [x]', ...laughs].join('\n'), from: 'yaml', to: 'json' }
    expect((await invoke('data_convert', bomb)).error.message).toContain('repeats parts by aliases too often')
  })
})

test.each([
  ['/page', 'hello'],
  ['/json', { a: 1 }],
])('a fetch of %s waits for a person, and goes out once', async (path, body) => {
  seen.length = 0
  const asked = { tool: 'std_http_fetch', arguments: { url: `http://${host}${path}` }, idempotency_key: path }
  const { invocation, approval } = await tools.call('invoke_tool', asked)
  expect(invocation.status).toBe('pending_approval')
  expect(seen).toEqual([])
  await tools.callOn('supervision', 'decide_approval', { approval_id: approval.id, decision: 'approve' })
  const done = (await tools.call('invoke_tool', asked)).invocation
  expect(done).toMatchObject({ status: 'succeeded', output: { status: 200, body } })
  await tools.call('invoke_tool', asked)
  expect(seen).toEqual([`GET ${path}`])
})
