import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Installs a package of its own below test/ (peers, referees) where its lockfile has changed since; no install scripts run. */
export async function installPackage(folder: string, say: (line: string) => void): Promise<void> {
  const marker = path.join(folder, 'node_modules', '.installed')
  const lockfile = readFileSync(path.join(folder, 'package-lock.json'))
  const wanted = createHash('sha256').update(lockfile).digest('hex')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  const name = path.basename(folder)
  say(`installing the packages of test/${name} ...`)
  const child = spawn('npm', ['ci', '--ignore-scripts'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve))
  if (code !== 0) throw new Error(`npm ci in test/${name} ended with ${code}`)
  writeFileSync(marker, wanted)
}
