import { expect, test } from 'vitest'
import { cycles, faultsOf } from './imports.ts'

const manifest = { dependencies: { pg: '1', zod: '1', ioredis: '1' }, devDependencies: { 'fast-check': '1' } }
const check = (file: string, specifier: string) => faultsOf(file, { specifier, typeOnly: false }, manifest).length === 0

test.each([
  ['servers/planning/tools/a.ts', '@story-portal/shared/engine', true],
  ['servers/planning/tools/a.ts', '../schema.ts', true],
  ['servers/planning/tools/a.ts', '../../runtime/run.ts', false],
  ['servers/planning/tools/a.ts', '../../../shared/engine/index.ts', false],
  ['servers/planning/tools/a.ts', '../../../tools/registry.ts', false],
  ['servers/planning/tools/a.ts', '@story-portal/shared/testing', false],
  ['servers/planning/tools/a.test.ts', '@story-portal/shared/testing', true],
  ['servers/planning/tools/a.ts', 'pg', false],
  ['servers/planning/tools/a.ts', 'zod', true],
  ['servers/planning/tools/a.ts', 'fast-check', false],
  ['servers/planning/a.test.ts', 'fast-check', true],
  ['servers/planning/a.ts', 'left-pad', false],
  ['servers/planning/a.ts', 'node:fs', true],
  ['shared/engine/a.ts', '../db/index.ts', true],
  ['shared/engine/a.ts', '../db/driver.ts', false],
  ['shared/engine/a.ts', '@story-portal/shared/db', false],
  ['shared/engine/a.ts', '../../servers/data/server.ts', false],
  ['shared/db/postgres/a.ts', 'pg', true],
  ['shared/cache/a.ts', 'pg', false],
  ['shared/errors/index.ts', '../config/index.ts', false],
  ['shared/config/a.ts', '../errors/index.ts', true],
  ['migrations/1_a.ts', '@story-portal/shared/db', true],
  ['shared/db/a.ts', '../../migrations/1_a.ts', false],
  ['tools/a.ts', '../servers/data/server.ts', true],
  ['test/e2e/a.ts', '../../tools/registry.ts', true],
])('%s may import %s: %s', (file, specifier, allowed) => {
  expect(check(file, specifier)).toBe(allowed)
})

test('cycles are found once, and not through types', () => {
  const module = (file: string, specifier: string, typeOnly = false) => ({
    file,
    imports: [{ specifier, typeOnly }],
    readsEnvironment: false,
  })
  const loop = [module('shared/a/b.ts', './c.ts'), module('shared/a/c.ts', './d.ts'), module('shared/a/d.ts', './b.ts')]
  expect(cycles(loop)).toEqual(['cycle: shared/a/b.ts -> shared/a/c.ts -> shared/a/d.ts'])
  expect(cycles([module('shared/a/b.ts', './c.ts'), module('shared/a/c.ts', './b.ts', true)])).toEqual([])
})
