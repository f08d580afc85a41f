import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty } from '../testing/property.ts'
import { bind, findBindings } from './binding.ts'
import { type Decidable, decide, expandInput, type Finished } from './decide.ts'
import { evaluate, parseExpression } from './expression.ts'
import { lookUp, parsePath, printPath } from './path.ts'
import type { TaskSpec } from './task-spec.ts'

const done = (output: unknown): Finished => ({ status: 'completed', output, error: null })
const skipped: Finished = { status: 'skipped', output: null, error: null }
const facts = { goal: { title: 'Ship' }, plan: { id: 'pln_1', input: { mode: 'full', n: 3 } } }

function task(
  spec: Partial<TaskSpec>,
  dependencies: Record<string, Finished> = {},
  kind: Decidable['kind'] = 'code',
): Decidable {
  const needs = { outputs: [], looks_at: [], goal: false, plan: false }
  return {
    key: 't',
    kind,
    spec: { depends_on: [], needs, position: 0, ...spec },
    dependencies: new Map(Object.entries(dependencies)),
    others: new Map(),
  }
}

test.each([
  ['1 == 1', true],
  ["plan.input.mode == 'full'", true],
  ['plan.input.n > 2 and plan.input.n <= 3', true],
  ['not plan.input.n > 2', false],
  ['!(plan.input.n > 2) || true', true],
  ['{{plan.input.n}} >= 3', true],
  ['missing.path == null', true],
  ['missing', null],
  ["'a' < 'b'", true],
  ["'a' < 1", false],
  ["'ul' in plan.input.mode", true],
  ["plan.input.mode contains 'x'", false],
  ['tasks.a.output.items contains 2', true],
  ['2 in tasks.a.output.items', true],
  ['tasks.a.output.items.length == 2', true],
  ['tasks.a.output["odd key"] != 4', true],
  ["tasks.a.status == 'completed'", true],
  ['false or false and true', false],
  ['-1.5e1 == -15', true],
  ["'it\\'s' == \"it's\"", true],
])('%s is %j', (text, value) => {
  const context = { ...facts, tasks: { a: done({ items: [1, 2], 'odd key': 5 }) } }
  expect(evaluate(parseExpression(text), context)).toEqual(value)
})

test.each([
  '',
  'a b',
  '1 +',
  '(1',
  '{{a)',
  'a ==',
  '== a',
  'fetch()',
  'a; b',
  '`x`',
  `'${'x'.repeat(2_001)}'`,
  `${'('.repeat(60)}1`,
])('the expression %.40j is refused with a code', (text) => {
  expect(() => parseExpression(text)).toThrow(expect.objectContaining({ number: 'E0611' }))
})

test('no path reaches a prototype or a method', () => {
  for (const path of ['constructor', '__proto__', 'tasks.constructor.name', 'plan.input.toString', 'goal.title.at']) {
    expect(evaluate(parseExpression(path), { ...facts, tasks: {} })).toBeNull()
  }
})

test('any text either parses or is refused with our code, and evaluating never throws', async () => {
  const texts = fc.string({ unit: fc.constantFrom(...'ab.[]0"\'()!=<>&| {}notandorinplan'.split('')) })
  const holds = (text: string) => {
    try {
      evaluate(parseExpression(text), facts)
    } catch (error) {
      expect(error).toMatchObject({ number: 'E0611' })
    }
  }
  await checkProperty('expressions', texts, holds, { runs: 2_000 })
})

test('a path printed reads back as itself', () => {
  for (const text of ['a', 'a.b[0].c-d', 'a[12][3]', 'tasks.fetch-all.output.x_1']) {
    expect(printPath(parsePath(text) ?? [])).toBe(text)
  }
  expect(parsePath('a..b')).toBeUndefined()
  expect(lookUp({ a: [1, [2]] }, parsePath('a[1][0]') ?? [])).toBe(2)
})

test('a whole binding keeps its type, an embedded one becomes text, other text stays', () => {
  const context = { plan: { input: { list: [1], n: 7, s: 'x', nil: null } } }
  expect(
    bind(
      {
        whole: '{{plan.input.list}}',
        spaced: '{{ plan.input.n }}',
        inside: 'n={{plan.input.n}} l={{plan.input.list}} s={{plan.input.s}}',
        nil: ['{{plan.input.nil}}'],
        other: 'a {{ b } c',
        ['__proto__']: 'kept as data',
      },
      context,
    ),
  ).toEqual({
    whole: [1],
    spaced: 7,
    inside: 'n=7 l=[1] s=x',
    nil: [null],
    other: 'a {{ b } c',
    ['__proto__']: 'kept as data',
  })
  expect(() => bind('{{plan.input.gone}}', context)).toThrow(expect.objectContaining({ number: 'E0602' }))
  expect(findBindings({ a: ['{{x.y}} {{z[0]}}'] })).toEqual([
    { at: '.a[0]', text: '{{x.y}}', path: ['x', 'y'] },
    { at: '.a[0]', text: '{{z[0]}}', path: ['z', 0] },
  ])
})

test('the outputs of dependencies are passed to everything but tools', () => {
  const dependencies = { a: done({ n: 1 }), b: skipped }
  const decision = decide(task({ input: { x: '{{tasks.a.output.n}}' } }, dependencies), facts)
  expect(decision).toEqual({ go: 'ready', input: { x: 1, tasks: { a: { output: { n: 1 } } } } })
  expect(expandInput('code', decision.go === 'ready' && decision.input)).toEqual({
    x: 1,
    a: { n: 1 },
    tasks: { a: { output: { n: 1 } } },
  })
  expect(decide(task({ input: { x: 2 } }, dependencies, 'tool'), facts)).toEqual({ go: 'ready', input: { x: 2 } })
  expect(decide(task({ pass_outputs: false }, dependencies), facts)).toEqual({ go: 'ready', input: {} })
  expect(decide(task({ input: '{{tasks.a.output}}' }, dependencies), facts)).toMatchObject({
    go: 'ready',
    input: { n: 1 },
  })
  expect(expandInput('tool', { tasks: { a: { output: 1 } } })).toEqual({ tasks: { a: { output: 1 } } })
})

test('a skip runs down a chain, and a join runs when one branch was taken', () => {
  expect(decide(task({ when: false }), facts)).toMatchObject({ go: 'skip' })
  expect(decide(task({}, { a: skipped }), facts)).toMatchObject({ go: 'skip' })
  expect(decide(task({}, { a: skipped, b: done(1) }), facts)).toMatchObject({ go: 'ready' })
  const needs = { outputs: ['a'], looks_at: [], goal: false, plan: false }
  expect(decide(task({ needs, input: '{{tasks.a.output}}' }, { a: skipped, b: done(1) }), facts)).toMatchObject({
    go: 'skip',
  })
  const failed = { status: 'failed', output: null, error: { code: 'X' } }
  expect(decide(task({ when: "tasks.a.status == 'failed'" }, { a: failed }), facts)).toMatchObject({ go: 'ready' })
})

test('a fan-out binds every item, and says what is wrong with its list', () => {
  const dependencies = { a: done({ items: ['x', 'y'], long: new Array(1_001).fill(0) }) }
  const spec = { for_each: '{{tasks.a.output.items}}', input: { v: '{{item}}', i: '{{index}}' } }
  expect(decide(task(spec, dependencies), facts)).toEqual({
    go: 'fan_out',
    inputs: [
      { item: 'x', index: 0, v: 'x', i: 0 },
      { item: 'y', index: 1, v: 'y', i: 1 },
    ],
  })
  expect(decide(task({ ...spec, pass_outputs: true }, dependencies), facts)).toMatchObject({
    inputs: [{ tasks: { a: {} } }, {}],
  })
  expect(decide(task({ for_each: ['{{plan.input.n}}'] }), facts)).toEqual({
    go: 'fan_out',
    inputs: [{ item: 3, index: 0 }],
  })
  expect(decide(task({ for_each: 'tasks.a.output' }, dependencies), facts)).toMatchObject({
    error: { number: 'E0603' },
  })
  expect(decide(task({ for_each: 'tasks.a.output.long' }, dependencies), facts)).toMatchObject({
    error: { number: 'E0604' },
  })
})

test('an input that can not be bound, or is too large, fails the task with a code', () => {
  expect(decide(task({ input: '{{plan.input.gone}}' }), facts)).toMatchObject({
    go: 'fail',
    error: { number: 'E0602' },
  })
  const big = done('x'.repeat(4 * 1024 * 1024))
  expect(decide(task({}, { a: big }), facts)).toMatchObject({ go: 'fail', error: { number: 'E0605' } })
})
