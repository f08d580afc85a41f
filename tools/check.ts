// `npm run check`: everything that can be said of the code in about a minute, without any service.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { checkCompatibility } from './checks/compatibility.ts'
import { checkContents } from './checks/contents.ts'
import { checkImports } from './checks/imports.ts'
import { checkLicences } from './checks/licences.ts'
import { checkLockfile } from './checks/lockfile.ts'
import { root } from './checks/source-files.ts'

/** Finds faults, each one line that names the file and what is wrong; none means passed. */
type Check = () => string[] | Promise<string[]>

const bin = (name: string) => path.join(root, 'node_modules/.bin', name)
const node = (...args: string[]) => program(process.execPath, args)

const checks: Record<string, Check> = {
  'imports go the right way': checkImports,
  'lockfile is complete and exact': checkLockfile,
  'licences are allowed': checkLicences,
  'nothing private or machine-bound in files': checkContents,
  'versions say how tools changed since the last release': checkCompatibility,
  'generated files are current': () =>
    existsSync(path.join(root, 'tools/gen.ts')) ? node('tools/gen.ts', '--check') : [],
  'formatted and lint-free (Biome)': () => program(bin('biome'), ['ci', '--colors=off', '--max-diagnostics=50', '.']),
  'types (tsc)': () => program(bin('tsc'), ['--noEmit', '--pretty', 'false', '-p', '.']),
  'contract and pure unit tests': () =>
    node('node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--project', 'contract', '--reporter=default'),
}

let failed = 0
for (const [name, check] of Object.entries(checks)) {
  const began = performance.now()
  const faults = await check()
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  process.stdout.write(`${faults.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`)
  for (const fault of faults) process.stdout.write(`       ${fault.replaceAll('\n', '\n       ')}\n`)
  if (faults.length > 0) failed += 1
}
process.stdout.write(failed === 0 ? 'check passed\n' : `check failed: ${failed} of ${Object.keys(checks).length}\n`)
process.exitCode = failed === 0 ? 0 : 1

/** What a program that fails says is its one fault. */
function program(command: string, args: string[]): Promise<string[]> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    child.once('error', (error) => resolve([error.message]))
    child.once('close', (code) => resolve(code === 0 ? [] : [output.trim() || `exit code ${code}`]))
  })
}
