import path from 'node:path'
import type { Config } from '@story-portal/shared/config'
import { rootDir } from '../launch.js'
import { down } from './down.ts'
import { durability } from './durability.ts'
import { cliErrors } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { fingerprint } from './fingerprint.ts'
import { homeFiles } from './home.ts'
import { followLines, formatLine, type LogFilter, lastLines } from './logs.ts'
import { type Output, table } from './output.ts'
import { type PlatformStatus, platformStatus, type ServerState } from './platform-state.ts'
import { up } from './up.ts'

export async function runUp(out: Output, config: Config): Promise<void> {
  const { changed, why, ...status } = await up(config, out)
  const heading = {
    nothing: 'It runs already, as it should: nothing was changed.',
    started: `Story Portal ${status.version} is ready.`,
    restarted: `Story Portal ${status.version} was restarted: ${why.join(', ')}.`,
  }[changed]
  const text = [heading, describeHome(status, config), '', statusTable(status, out), '', whatNext(status)].join('\n')
  out.result({ ...status, changed, why }, text)
}

export async function runDown(out: Output, config: Config): Promise<void> {
  const { ended } = await down(config, (pid) =>
    out.note(`Process ${pid} is starting or stopping it; waiting for that.`),
  )
  out.result(
    { home: config.home, ended },
    ended === 0 ? 'Nothing was running.' : `Stopped: ${ended} processes ended, the supervisor included; none is left.`,
  )
}

/** Exits 0 when all is ready, 1 when a part is not, 3 when nothing answers. */
export async function runStatus(out: Output, config: Config): Promise<number> {
  const { reasons, ...status } = await platformStatus(config, fingerprint(rootDir, process.versions.node, {}).version)
  const text = [
    describeHome(status, config),
    '',
    statusTable(status, out),
    ...reasons.map((reason) => `\nNot ready: ${reason}`),
  ]
  out.result(status, text.join('\n'))
  const states = new Set(status.servers.map((server) => server.state))
  if (states.size === 1 && states.has('ready')) return EXIT.ok
  if (states.size === 1 && states.has('failed')) {
    out.note(`\n${cliErrors.notRunning({ home: config.home }).message} ${cliErrors.notRunning().hint}`)
    return EXIT.unreachable
  }
  return EXIT.failed
}

interface LogFlags extends LogFilter {
  follow?: boolean
  lines: number
}

export async function runLogs(out: Output, config: Config, flags: LogFlags): Promise<void> {
  const { logs: dir, crashes } = homeFiles(config.home)
  const print = (line: Parameters<typeof formatLine>[0]) =>
    process.stdout.write(`${out.json ? line.raw : formatLine(line, out.style)}\n`)
  const lines = lastLines(dir, flags.lines, flags)
  for (const line of lines) print(line)
  if (lines.length === 0)
    out.note(`There is nothing in ${dir} that fits. What a process says while it dies is in ${crashes}.`)
  if (!flags.follow) return
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  for await (const line of followLines(dir, flags, stop.signal)) print(line)
}

const COLOURS: Record<ServerState, Parameters<Output['style']>[0]> = {
  ready: 'green',
  starting: 'yellow',
  failed: 'red',
}

export function statusTable(status: PlatformStatus, out: Output): string {
  const rows = status.servers.map((server) => [server.name, server.url, server.version, server.tools, server.state])
  const text = table([['SERVER', 'URL', 'VERSION', 'TOOLS', 'STATE'], ...rows], out.style)
  return text.replace(/\b(ready|starting|failed)$/gm, (state) => out.style(COLOURS[state as ServerState], state))
}

function describeHome(status: PlatformStatus, config: Config): string {
  return `Version ${status.version}, ${durability(config)}, data in ${status.home}`
}

function whatNext(status: PlatformStatus): string {
  const here = path.relative(process.cwd(), rootDir) || '.'
  const token = shortest(homeFiles(status.home).token)
  return [
    'What next:',
    `  Claude Code      open ${here === '.' ? 'this folder' : here}; .mcp.json connects it. Then ask: "Create a goal, plan it in three tasks and run it."`,
    `  any MCP client   the URLs above with the header "Authorization: Bearer $(cat ${token})"`,
    '  this terminal    npx story-portal planning create_goal --title "My first goal"',
    '  a tour           npm run demo',
    '  to stop          npm stop',
  ].join('\n')
}

/** Relative where that is shorter to read and to type. */
function shortest(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') ? file : relative
}
