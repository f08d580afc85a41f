import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { rootDir } from './launch.js'

test('every npm script that a document or a workflow names is there', () => {
  const scripts = Object.keys(JSON.parse(readFileSync(path.join(rootDir, 'package.json'), 'utf8')).scripts)
  const files = globSync(['README.md', 'docs/**/*.md', 'servers/*/README.md', '.github/workflows/*.yml'], {
    cwd: rootDir,
  })
  const named = files.flatMap((file) =>
    [...readFileSync(path.join(rootDir, file), 'utf8').matchAll(/npm run ([a-z][a-z:]*)/g)].map(([, name]) => name),
  )
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((name) => name !== undefined && !scripts.includes(name))).toEqual([])
})
