import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, describe, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true, caller: { tenant_id: 'local' } })
})

const invoke = async (tool: string, args: object) =>
  (await tools.call('invoke_tool', { tool: `std_${tool}`, arguments: args })).invocation

const part = (name: string, ...lines: string[]) => [`diff --git a/${name} b/${name}`, ...lines, ''].join('\n')
const changed = part('x', '--- a/x', '+++ b/x', '@@ -1 +1 @@', '-one', '+two')
const copy = 'diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n'
const convert = (text: string, from: string, to: string, more: object = {}) => ({ text, from, to, ...more })
const json = (value: unknown) => ({ text: JSON.stringify(value, null, 2) })

describe('right where it is easy to be wrong', () => {
  test.each([
    // What every object of JavaScript has is in no data.
    [
      'data_aggregate',
      {
        rows: [{ a: 1 }],
        group_by: ['constructor'],
        measures: [
          { op: 'count', field: 'toString' },
          { op: 'max', field: 'valueOf' },
        ],
      },
      { groups: [{ constructor: null, count_toString: 0, max_valueOf: null }] },
    ],
    ['template_render', { template: '{{constructor}}{{#toString}}x{{/toString}}' }, { text: '' }],
    [
      'template_render',
      { template: '{{list.map}}{{list.length}}{{name.length}}{{> valueOf}}', data: { list: [1], name: 'ab' } },
      { text: '12', missing: [] },
    ],
    ['json_validate', { data: {}, schema: { required: ['toString'] } }, { valid: false }],
    ['json_validate', { data: {}, schema: { properties: { constructor: { type: 'string' } } } }, { valid: true }],
    ['data_convert', convert('[{"constructor":"a"},{"b":1}]', 'json', 'csv'), { text: 'constructor,b\na,\n,1\n' }],
    [
      'data_convert',
      convert('__proto__,b\nx,y\n', 'csv', 'json'),
      { text: '[\n  {\n    "__proto__": "x",\n    "b": "y"\n  }\n]' },
    ],
    ['encode', { text: '&constructor;&amp;', as: 'html', decode: true }, { text: '&constructor;&' }],
    ['encode', { text: '&#0;&#xD800;&#99999999;', as: 'html', decode: true }, { text: '\ufffd\ufffd\ufffd' }],
    // Tables and documents as other programs write them.
    ['data_convert', convert('\ufeffa,b\r\n1,"x\r\ny"\r\n', 'csv', 'json'), json([{ a: '1', b: 'x\r\ny' }])],
    [
      'data_convert',
      convert('a,b\r\n1,2\n3,"4\r\n"\n', 'csv', 'json'),
      json([
        { a: '1', b: '2' },
        { a: '3', b: '4\r\n' },
      ]),
    ],
    [
      'data_convert',
      convert('zip,n,big,at,none\n007,1.5e1,12345678901234567890,2026-01-01T00:00:00+02:00,\n', 'csv', 'json', {
        types: true,
      }),
      json([{ zip: '007', n: 15, big: '12345678901234567890', at: '2026-01-01T00:00:00+02:00', none: '' }]),
    ],
    ['data_convert', convert('[]', 'json', 'csv'), { text: '' }],
    ['data_convert', convert('a\n""\nx\n', 'csv', 'json'), json([{ a: '' }, { a: 'x' }])],
    ['data_convert', convert('\ufeff{}', 'json', 'json'), { text: '{}' }],
    ['data_convert', convert('{"a":"yes","b":"2026-01-01"}', 'json', 'yaml'), { text: 'a: "yes"\nb: "2026-01-01"\n' }],
    ['data_convert', convert('a: yes\nb: 0o17\n', 'yaml', 'json'), json({ a: 'yes', b: 15 })],
    [
      'data_convert',
      convert('a: &a {x: 1}\nb: {<<: *a, y: 2}\n', 'yaml', 'json'),
      json({ a: { x: 1 }, b: { x: 1, y: 2 } }),
    ],
    ['data_convert', convert('a: !!binary aGk=\nb: !!set {x}\n', 'yaml', 'json'), json({ a: 'aGk=', b: { x: null } })],
    // Patches of git.
    ['patch_apply', { files: { x: 'one\n' }, patch: copy }, { files: { y: 'one\n' } }],
    ['patch_apply', { files: { x: 'one\n', y: 'one\n' }, patch: copy, reverse: true }, { files: { y: null } }],
    ['patch_apply', { files: {}, patch: part('e', 'new file mode 100644', 'index 0..e') }, { files: { e: '' } }],
    ['patch_apply', { files: { e: '' }, patch: part('e', 'deleted file mode 100644') }, { files: { e: null } }],
    ['patch_apply', { files: { x: 'one\r\n' }, patch: changed }, { files: { x: 'two\r\n' } }],
    [
      'patch_apply',
      { files: { x: 'one\n' }, patch: `From 1\nSubject: y\n\n---\n\n${changed}-- \n2.40.0\n\n` },
      { files: { x: 'two\n' } },
    ],
    [
      'patch_apply',
      { files: { x: 'one' }, patch: changed.replace('-one', '-one\n\\ No newline at end of file') },
      { files: { x: 'two\n' } },
    ],
    // Markdown.
    [
      'markdown_outline',
      { text: '---\ntitle: x\n---\n# foo &amp; <b>x</b>\n# foo-1\n# foo\n# foo\n# foo-1\n' },
      {
        headings: [
          { text: 'foo & x', line: 4, anchor: 'foo--x' },
          { anchor: 'foo-1' },
          { anchor: 'foo' },
          { anchor: 'foo-2' },
          { anchor: 'foo-1-1' },
        ],
      },
    ],
    [
      'markdown_tables',
      { text: '|a\\|b|\n|-|\n|x<br>y &lt; `&lt;`|\n' },
      { tables: [{ columns: ['a|b'], rows: [['x\ny < &lt;']] }] },
    ],
    // One text for an object, however it is shown.
    [
      'template_render',
      { template: '{{o}}{{{o}}}', data: { o: { x: '<' } }, escape: 'html' },
      { text: '{&quot;x&quot;:&quot;&lt;&quot;}{"x":"<"}' },
    ],
    ['regex_extract', { text: '😀', pattern: '.', flags: 'u' }, { matches: [{ text: '😀', index: 0 }] }],
    ['time_calculate', { time: '0099-01-05' }, { iso_week: '0099-W02' }],
    ['json_validate', { data: { z: 1 }, schema: { unevaluatedProperties: false } }, { faults: [{ expected: 'z' }] }],
  ])('std_%s of %j', async (tool, args, expected) => {
    const done = await invoke(tool, args)
    expect([done.status, done.error?.message]).toEqual(['succeeded', undefined])
    expect(done.output).toMatchObject(expected)
  })
})

describe('refused, where the answer would be a wrong one', () => {
  const partials = { self: 'a{{> self}}' }
  test.each([
    [
      'data_aggregate',
      { rows: [], group_by: ['a'], measures: [{ op: 'count', as: 'a' }] },
      'measures would give a twice',
    ],
    [
      'data_aggregate',
      { rows: [{ a: 1e308 }, { a: 1e308 }], measures: [{ op: 'sum', field: 'a' }] },
      'too large for their sum',
    ],
    ['template_render', { template: '{{> a}}', partials: { a: '{{#b}}' } }, 'partials.a has a tag that is not closed'],
    ['template_render', { template: '{{> self}}', partials }, 'partials include one another without end'],
    ['json_query', { data: {}, expression: '$sum' }, 'expression gives a function'],
    ['json_query', { data: {}, expression: '[function($x){$x}]' }, 'expression gives a function'],
    ['json_query', { data: {}, expression: '1/0' }, 'a number that is out of range'],
    ['json_validate', { data: 1, schema: { $async: true, type: 'string' } }, 'schema must not be $async'],
    ['data_convert', convert('a: *x\n', 'yaml', 'json'), 'text has an alias of nothing'],
    ['data_convert', convert('a: .inf\n', 'yaml', 'json'), 'text has a number that JSON has not'],
    ['data_convert', convert('a: 1\n---\nb: 2\n', 'yaml', 'json'), 'text is not YAML: line 2'],
    [
      'patch_apply',
      {
        files: { x: 'one\nkept\n' },
        patch: part('x', 'deleted file mode 100644', '--- a/x', '+++ /dev/null', '@@ -1 +0,0 @@', '-one'),
      },
      'deletes x, which has lines',
    ],
    [
      'patch_apply',
      { files: { x: '1' }, patch: part('x', 'index 1..2 100644', 'Binary files a/x and b/x differ') },
      'x, which is not a text',
    ],
    [
      'patch_apply',
      { files: { x: '1' }, patch: part('x', 'index 1..2 100644', 'GIT binary patch', 'literal 3', 'KcmZQz') },
      'which is not a text',
    ],
    ['regex_extract', { text: 'a😀', pattern: '[^a]' }, 'half of a character at 1: add the flag u'],
    ['time_calculate', { time: 'now', zone: 'local' }, 'zone is not a time zone'],
  ])('std_%s of %j', async (tool, args, problem) => {
    const { error } = await invoke(tool, args)
    expect(error).toMatchObject({ number: 'E3001', message: expect.stringContaining('InvalidInput: ') })
    expect(error.message).toContain(problem)
  })
})
