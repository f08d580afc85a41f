import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { root } from './under-test.ts'

/** Every file that is or could be committed, in a new temporary directory, with the installed packages of this repository. */
export function copyOfRepository(label: string): string {
  const copy = mkdtempSync(path.join(os.tmpdir(), `story-portal-${label}-`))
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  for (const name of files.split('\0')) {
    if (name !== '' && existsSync(path.join(root, name))) cpSync(path.join(root, name), path.join(copy, name))
  }
  linkPackages(copy)
  return copy
}

/** The same packages, but the copy's own shared/. */
function linkPackages(copy: string): void {
  const [from, to] = [path.join(root, 'node_modules'), path.join(copy, 'node_modules')]
  mkdirSync(path.join(to, '@story-portal'), { recursive: true })
  for (const name of readdirSync(from)) {
    if (name !== '@story-portal' && name !== '.cache') symlinkSync(path.join(from, name), path.join(to, name))
  }
  symlinkSync(path.join(copy, 'shared'), path.join(to, '@story-portal', 'shared'))
}
