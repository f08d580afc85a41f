import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { differences, fingerprint } from './fingerprint.ts'

let root: string
const put = (file: string, text: string) => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), text)
}
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'story-portal-fingerprint-'))
  put('package.json', '{"version": "1.2.3"}')
  put('package-lock.json', '{}')
  for (const folder of ['servers', 'shared', 'migrations', 'tools']) put(`${folder}/a.ts`, '1')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const now = (node = '24.0.0', settings: unknown = {}) => fingerprint(root, node, settings)

test('each kind of change is told apart, in words', () => {
  const before = now()
  expect(differences(before, now())).toEqual([])
  expect(differences(before, now('26.1.0'))).toEqual(['Node 24.0.0 -> 26.1.0'])
  expect(differences(before, now('24.0.0', { lease: 1 }))).toEqual(['the settings changed'])
  put('package-lock.json', '{"a": 1}')
  expect(differences(before, now())).toEqual(['the installed packages changed'])
  put('package.json', '{"version": "1.3.0"}')
  put('shared/b/new.ts', '')
  expect(differences(before, now())).toEqual([
    'version 1.2.3 -> 1.3.0',
    'the installed packages changed',
    'the code changed',
  ])
})

test('tests, pages and the command line itself are no reason to restart servers', () => {
  const before = now()
  put('shared/a.test.ts', 'x')
  put('servers/x/README.md', 'x')
  put('tools/cli/up.ts', 'x')
  put('shared/testing/open.ts', 'x')
  put('servers/x/node_modules/y/index.js', 'x')
  expect(differences(before, now())).toEqual([])
})
