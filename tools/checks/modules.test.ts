import { expect, test } from 'vitest'
import { parseModule } from './modules.ts'

test('every way to import is found, and what only looks like one is not', () => {
  const module = parseModule(
    'x.ts',
    `import a, { type B } from 'value'
     import type { C } from 'type-only'
     import { type D, type E } from 'types-inside'
     import 'effect'
     export { f } from 're-export'
     export type * from 'type-star'
     type G = import('in-a-type').G
     const lazy = () => import('lazy')
     const text = \`
import h from 'in-a-template'\`
     // import i from 'in-a-comment'
     const home: string = process.env['HOME'] ?? text`,
  )
  expect(module.imports.map(({ specifier, typeOnly }) => (typeOnly ? `type ${specifier}` : specifier))).toEqual([
    'value',
    'type type-only',
    'type types-inside',
    'effect',
    're-export',
    'type type-star',
    'type in-a-type',
    'lazy',
  ])
  expect(module.readsEnvironment).toBe(true)
  expect(parseModule('y.ts', 'const env = 1').readsEnvironment).toBe(false)
})
