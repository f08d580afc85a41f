/**
 * Installs what the lockfile says, and only when that is not what node_modules holds already. Plain JavaScript without
 * dependencies for Node 18 and newer: it runs on a fresh clone.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const lockfile = path.join(root, 'package-lock.json')
const modules = path.join(root, 'node_modules')
/** Holds the fingerprint of what was installed last. */
const marker = path.join(modules, '.story-portal-install')
/** Two installs at once would delete each other's files. */
const busy = path.join(root, '.cache', 'install.lock')

/** @param {{ beforeInstall?: () => void | Promise<void> }} [options] runs only when something will be installed */
export async function ensureInstalled({ beforeInstall } = {}) {
  if (isInstalled()) return false
  const release = await takeLock()
  try {
    if (isInstalled()) return false
    await beforeInstall?.()
    say('installing dependencies (npm ci, about half a minute) ...')
    await npmCi()
    writeFileSync(marker, fingerprint())
    return true
  } finally {
    release()
  }
}

/** Third-party packages of the lockfile. A new server changes the file too, and has nothing to install. */
function wantedPackages() {
  const { packages } = JSON.parse(readFileSync(lockfile, 'utf8'))
  return Object.entries(packages).filter(([name, entry]) => name.includes('node_modules/') && !entry.link)
}

function fingerprint() {
  const hash = createHash('sha256').update(JSON.stringify(wantedPackages()))
  // A folder shared between machines (a mount in a container) must not keep another platform's binaries.
  return hash.update(`${process.platform}-${process.arch}`).digest('hex')
}

function isInstalled() {
  const now = fingerprint()
  if (read(marker) === now) return true
  if (!matchesLockfile()) return false
  writeFileSync(marker, now)
  return true
}

/** True when npm's own record of node_modules is what we would install: somebody ran `npm install` or `npm ci` by hand. */
function matchesLockfile() {
  const record = read(path.join(modules, '.package-lock.json'))
  if (record === undefined) return false
  const held = JSON.parse(record).packages
  return wantedPackages().every(([name, entry]) => {
    const have = held[name]
    return have ? have.version === entry.version && have.integrity === entry.integrity : entry.optional === true
  })
}

function npmCi() {
  // Under an npm script: the same npm with the Node that runs it, for the bundled Node is about to be replaced.
  const { npm_execpath: cli, npm_node_execpath: node } = process.env
  const [command, args] = cli?.endsWith('.js') ? [node ?? process.execPath, [cli, 'ci']] : ['npm', ['ci']]
  return new Promise((resolve, reject) => {
    // stdout belongs to whoever called us: npm's words go to stderr.
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: command === 'npm' })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else
        reject(new Error(`npm ci failed with exit code ${code}; its reason is above. Run it again once that is gone.`))
    })
  })
}

async function takeLock() {
  mkdirSync(path.dirname(busy), { recursive: true })
  for (let told = false; ; told = true) {
    try {
      writeFileSync(busy, String(process.pid), { flag: 'wx' })
      return () => rmSync(busy, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (!alive(Number(read(busy)))) rmSync(busy, { force: true })
    else {
      if (!told) say('waiting for another installation to finish ...')
      await sleep(500)
    }
  }
}

function alive(pid) {
  // Empty: its owner has made the file and not yet written to it.
  if (!pid) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function say(text) {
  process.stderr.write(`story-portal: ${text}\n`)
}
