import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let root: string

/** A clone in small: the installer, a lockfile, and an npm that notes its calls and installs what it is told. */
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'story-portal-install-'))
  mkdirSync(path.join(root, 'tools'))
  cpSync(path.join(import.meta.dirname, 'install.js'), path.join(root, 'tools/install.js'))
  writeFileSync(path.join(root, 'package.json'), '{"type":"module"}')
  lock({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } })
  writeFileSync(
    path.join(root, 'npm-cli.js'),
    `import fs from 'node:fs'
     fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
     if (fs.existsSync('broken')) process.exit(3)
     fs.mkdirSync('node_modules', { recursive: true })
     fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
     console.log('words of npm')`,
  )
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function lock(packages: Record<string, object>): void {
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages }))
}

function install() {
  const script = `const { ensureInstalled } = await import('./tools/install.js')
    console.log(await ensureInstalled({ beforeInstall: () => console.log('before') }))`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      npm_execpath: path.join(root, 'npm-cli.js'),
      npm_node_execpath: process.execPath,
    },
  })
  return { stdout: stdout.trim(), stderr, status }
}

const calls = () => readFileSync(path.join(root, 'calls'), 'utf8').split('\n').filter(Boolean)

test('installs once, tells on stderr, and does nothing the second time', () => {
  const first = install()
  expect(first).toMatchObject({ status: 0, stdout: 'before\ntrue' })
  expect(first.stderr).toContain('installing dependencies')
  expect(first.stderr).toContain('words of npm')
  expect(install()).toMatchObject({ status: 0, stdout: 'false', stderr: '' })
  expect(calls()).toEqual(['ci'])
})

test('a changed package is installed, a new workspace is not a reason', () => {
  install()
  const a = { version: '1.0.0', integrity: 'sha512-a' }
  lock({ 'node_modules/a': a, 'servers/new': {}, 'node_modules/@story-portal/server-new': { link: true } })
  expect(install().stdout).toBe('false')
  lock({ 'node_modules/a': { version: '1.0.1', integrity: 'sha512-b' } })
  expect(install().stdout).toBe('before\ntrue')
})

test('what npm installed by hand is taken as it is, other platforms aside', () => {
  const packages = {
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-o', optional: true },
  }
  lock(packages)
  mkdirSync(path.join(root, 'node_modules'))
  const record = JSON.stringify({ packages: { 'node_modules/a': packages['node_modules/a'] } })
  writeFileSync(path.join(root, 'node_modules/.package-lock.json'), record)
  expect(install().stdout).toBe('false')
})

test('a failed installation is reported and tried again next time; the lock of a dead process is no obstacle', () => {
  writeFileSync(path.join(root, 'broken'), '')
  const failed = install()
  expect(failed.status).not.toBe(0)
  expect(failed.stderr).toContain('npm ci failed with exit code 3')
  rmSync(path.join(root, 'broken'))
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  writeFileSync(path.join(root, '.cache/install.lock'), String(pid))
  expect(install()).toMatchObject({ status: 0, stdout: 'before\ntrue' })
})
