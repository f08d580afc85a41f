/**
 * `npm run new:server <name>` and `npm run new:tool <server> <verb-noun>`: the files of a server or a tool, with one failing
 * test that says what to write. Nothing else has to be edited: lists, tables and types are generated.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { serverFiles, toolFiles } from './gen/templates.ts'
import { rootDir } from './launch.js'
import { committedServers, FIRST_OWN_PORT, LAST_PORT, SUITE_PORTS, serverFolders } from './registry.ts'

const SERVER_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const TOOL_FILE = /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/

class Refused extends Error {}

function newServer(name: string, options: { port?: string; layer?: string }): string[] {
  if (!SERVER_NAME.test(name) || name.length > 30)
    throw new Refused(`"${name}" must be kebab-case, at most 30 characters.`)
  if (existsSync(path.join(rootDir, 'servers', name))) throw new Refused(`servers/${name} exists already.`)
  const port = choosePort(name, options.port)
  const files = serverFiles({ name, port, layer: options.layer ?? '-' })
  const written = write(`servers/${name}`, files)
  addToLockfile(name, '1.0.0')
  return written
}

function newTool(server: string, file: string): string[] {
  if (!serverFolders().includes(server)) {
    throw new Refused(`There is no server "${server}". The servers are: ${serverFolders().join(', ')}.`)
  }
  if (!TOOL_FILE.test(file) || file.length > 41)
    throw new Refused(`"${file}" must be verb-noun in kebab-case, at most 41 characters.`)
  const name = file.replaceAll('-', '_')
  const owner = committedServers().find(({ tools }) => tools.some((tool) => tool.name === name))
  if (owner) throw new Refused(`${owner.name} has a tool ${name}; names are unique across the suite.`)
  if (existsSync(path.join(rootDir, 'servers', server, 'tools', `${file}.ts`)))
    throw new Refused(`${file}.ts exists already.`)
  const written = write(`servers/${server}/tools`, toolFiles(server, file))
  raiseVersion(server)
  return written
}

/** The number added to the port base: the asked one, else the one kept for this name, else the first that is nobody's. */
function choosePort(server: string, asked: string | undefined): number {
  const kept = Object.entries(SUITE_PORTS).filter(([name]) => name !== server)
  const here = committedServers().map(({ name, port }) => [name, port] as const)
  const taken = new Map([...kept, ...here].map(([name, port]) => [port, name]))
  if (asked !== undefined) {
    const port = Number(asked)
    if (!Number.isInteger(port) || port < 1 || port > LAST_PORT)
      throw new Refused(`--port ${asked} must be a number from 1 to ${LAST_PORT}.`)
    if (taken.has(port)) throw new Refused(`Port number ${port} belongs to ${taken.get(port)}.`)
    return port
  }
  const own = SUITE_PORTS[server]
  if (own !== undefined && !taken.has(own)) return own
  let port = FIRST_OWN_PORT
  while (taken.has(port)) port += 1
  return port
}

function write(folder: string, files: Record<string, string>): string[] {
  return Object.entries(files).map(([name, text]) => {
    const file = path.join(rootDir, folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text, { flag: 'wx' })
    return `${folder}/${name}`
  })
}

interface Lock {
  packages: Record<string, Record<string, unknown>>
}

/** A server is a workspace, and `npm ci` refuses a workspace that the lockfile doesn't know. */
function addToLockfile(name: string, version: string): void {
  editLockfile((packages) => {
    const title = `@story-portal/server-${name}`
    packages[`servers/${name}`] = { name: title, version }
    packages[`node_modules/${title}`] = { resolved: `servers/${name}`, link: true }
  })
}

function editLockfile(change: (packages: Lock['packages']) => void): void {
  const file = path.join(rootDir, 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock
  change(lock.packages)
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
}

/** A tool more is a minor version more, once per commit. */
function raiseVersion(server: string): void {
  const file = path.join(rootDir, 'servers', server, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  if (committedVersion(server) !== manifest.version) return
  const [major, minor] = manifest.version.split('.').map(Number)
  const version = `${major}.${(minor ?? 0) + 1}.0`
  writeFileSync(file, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`)
  editLockfile((packages) => {
    packages[`servers/${server}`] = { ...packages[`servers/${server}`], version }
  })
}

/** The version of the last commit; undefined outside of git or for a server that was never committed. */
function committedVersion(server: string): string | undefined {
  try {
    const text = execFileSync('git', ['show', `HEAD:servers/${server}/package.json`], {
      cwd: rootDir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return (JSON.parse(text) as { version: string }).version
  } catch {
    return undefined
  }
}

/** Line lengths depend on the names, so the formatter has the last word. */
function format(files: readonly string[]): void {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
  const code = files.filter((file) => file.endsWith('.ts'))
  execFileSync(process.execPath, [biome, 'check', '--write', ...code], {
    cwd: rootDir,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string' }, layer: { type: 'string' } },
  })
  const [kind, first = '', second = ''] = positionals
  const written = kind === 'server' ? newServer(first, values) : newTool(first, second)
  format(written)
  execFileSync(process.execPath, [path.join(rootDir, 'tools', 'gen.ts')], {
    cwd: rootDir,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  console.log(`Written:\n  ${written.join('\n  ')}`)
  console.log(
    kind === 'server'
      ? `\nNext: npm run new:tool ${first} <verb-noun>`
      : `\nNext: say in servers/${first}/tools/${second}.test.ts what the tool must answer (it fails until then), then "npm run check".`,
  )
}

try {
  main()
} catch (error) {
  if (!(error instanceof Refused || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS'))) throw error
  console.error(
    `${(error as Error).message}\nUsage: npm run new:server <name> [-- --port <1-99> --layer L04]\n       npm run new:tool <server> <verb-noun>`,
  )
  process.exitCode = 2
}
