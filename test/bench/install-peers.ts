import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const lockfile = path.join(import.meta.dirname, 'package-lock.json')
const marker = path.join(import.meta.dirname, 'node_modules', '.installed')

/** Installs the peers where the lockfile has changed since. */
export async function installPeers(say: (line: string) => void): Promise<void> {
  const wanted = createHash('sha256').update(readFileSync(lockfile)).digest('hex')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  say('installing the peers ...')
  const child = spawn('npm', ['ci', '--ignore-scripts'], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve))
  if (code !== 0) throw new Error(`npm ci in test/bench ended with ${code}`)
  writeFileSync(marker, wanted)
}
