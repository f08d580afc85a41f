import { buildApplication, buildCommand, buildRouteMap, numberParser } from '@stricli/core'
import { committedServers } from '../registry.ts'
import { hooksRoutes } from './hooks/routes.ts'
import { LOG_LEVELS } from './logs.ts'
import { perform, performAnyway } from './perform.ts'
import { toolRoutes } from './tool-commands.ts'

/** Flags every command has; results then are one line of JSON on stdout. */
export interface CommonFlags {
  json?: boolean
}

const json = { kind: 'boolean', optional: true, withNegated: false, brief: 'Print the result as JSON' } as const
const quiet = { kind: 'boolean', optional: true, withNegated: false, brief: 'Say only what went wrong' } as const
const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, optional: true, brief, placeholder }) as const

/** Commands load their code when they run: `call` must not pay for the database. */
const up = buildCommand({
  docs: { brief: 'Start the platform, or leave it alone when it runs as it should' },
  parameters: { flags: { json, quiet } },
  func: (flags: CommonFlags & { quiet?: boolean }) =>
    perform(flags, async (out, config) => (await import('./commands.ts')).runUp(out, config)),
})

const down = buildCommand({
  docs: { brief: 'Stop the platform with everything it started' },
  parameters: { flags: { json, quiet } },
  func: (flags: CommonFlags & { quiet?: boolean }) =>
    perform(flags, async (out, config) => (await import('./commands.ts')).runDown(out, config)),
})

const status = buildCommand({
  docs: { brief: 'Show every server with its address, version and state' },
  parameters: { flags: { json } },
  func: (flags: CommonFlags) =>
    perform(flags, async (out, config) => (await import('./commands.ts')).runStatus(out, config)),
})

const doctor = buildCommand({
  docs: { brief: 'Check everything the platform needs and say what to do about the rest' },
  parameters: { flags: { json } },
  func: (flags: CommonFlags) =>
    performAnyway(flags, async (out, ...found) => (await import('./doctor.ts')).runDoctor(out, ...found)),
})

const migrate = buildCommand({
  docs: { brief: 'Bring the database to the schema of this version' },
  parameters: { flags: { json } },
  func: (flags: CommonFlags) =>
    perform(flags, async (out, config) => (await import('./migrate.ts')).runMigrate(out, config)),
})

const acceptLoss = {
  kind: 'boolean',
  optional: true,
  withNegated: false,
  brief: 'Also when the database was changed after the dump; those changes stay in the old directory only',
} as const

const dump = buildCommand({
  docs: { brief: 'Write everything in the embedded database to a file, while the platform is stopped' },
  parameters: { flags: { json, to: text('The file; default a new one in <home>/dumps', 'file') } },
  func: (flags: CommonFlags & { to?: string }) =>
    perform(flags, async (out, config) => (await import('./data-directory.ts')).runDump(out, config, flags)),
})

const restore = buildCommand({
  docs: { brief: 'Put a new embedded database made from a dump in the place of the present one, which is kept' },
  parameters: {
    flags: { json, acceptLoss },
    positional: { kind: 'tuple', parameters: [{ parse: String, brief: 'The dump', placeholder: 'file' }] },
  },
  func: (flags: CommonFlags & { acceptLoss?: boolean }, file: string) =>
    perform(flags, async (out, config) => (await import('./data-directory.ts')).runRestore(out, config, flags, file)),
})

const upgrade = buildCommand({
  docs: { brief: 'Make a data directory of an older release usable: a new database from its newest dump' },
  parameters: { flags: { json, acceptLoss } },
  func: (flags: CommonFlags & { acceptLoss?: boolean }) =>
    perform(flags, async (out, config) => (await import('./data-directory.ts')).runUpgrade(out, config, flags)),
})

const move = buildCommand({
  docs: { brief: 'Copy the embedded database into an empty PostgreSQL and compare every row' },
  parameters: {
    flags: {
      json,
      to: { kind: 'parsed', parse: String, brief: 'Address of the empty database', placeholder: 'postgres://...' },
    },
  },
  func: (flags: CommonFlags & { to: string }) =>
    perform(flags, async (out, config) => (await import('./data-directory.ts')).runMove(out, config, flags)),
})

function countParser(given: string): number {
  const count = numberParser(given)
  if (Number.isInteger(count) && count >= 0) return count
  throw new SyntaxError(`${given} is not a count`)
}

interface LogFlags extends CommonFlags {
  follow?: boolean
  server?: string
  level?: (typeof LOG_LEVELS)[number]
  correlation?: string
  lines: number
}

const logs = buildCommand({
  docs: { brief: 'Show the log of all processes, newest last' },
  parameters: {
    flags: {
      json,
      follow: { kind: 'boolean', optional: true, withNegated: false, brief: 'Keep showing what is written' },
      server: text('Only this server or process', 'name'),
      level: {
        kind: 'enum',
        values: LOG_LEVELS,
        optional: true,
        brief: 'Only this level and above',
        placeholder: 'level',
      },
      correlation: text('Only entries of this correlation id', 'id'),
      lines: { kind: 'parsed', parse: countParser, default: '100', brief: 'How many entries', placeholder: 'n' },
    },
    aliases: { f: 'follow', n: 'lines' },
  },
  func: (flags: LogFlags) =>
    perform(flags, async (out, config) => (await import('./commands.ts')).runLogs(out, config, flags)),
})

const call = buildCommand({
  docs: {
    brief: 'Call a tool: story-portal call planning create_goal \'{"title":"x"}\'',
    fullDescription:
      'Prints the structured result and exits 0. Exits 1 when the tool answers an error, 2 when the command line is wrong, 3 when the platform does not answer.',
  },
  parameters: {
    flags: { json },
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, brief: 'Server', placeholder: 'server' },
        { parse: String, brief: 'Tool', placeholder: 'tool' },
        {
          parse: String,
          brief: 'Arguments as JSON, or - to read them from stdin',
          placeholder: 'json',
          optional: true,
        },
      ],
    },
  },
  func: (flags: CommonFlags, server: string, tool: string, args?: string) =>
    perform(flags, async (out, config) =>
      (await import('./call.ts')).runCall(out, config, { server, tool, text: args }),
    ),
})

const importCommand = buildCommand({
  docs: {
    brief: 'Make task contexts of what another memory has kept',
    fullDescription:
      'Reads a JSONL file of @modelcontextprotocol/server-memory, a .claude folder with contexts/task-agents, a Markdown note or a folder of them, by what it finds. The same again makes nothing twice.',
  },
  parameters: {
    flags: {
      json,
      project: text('Its name; default that of the current folder', 'name'),
      dryRun: { kind: 'boolean', optional: true, withNegated: false, brief: 'Write nothing, say what would come' },
    },
    positional: { kind: 'tuple', parameters: [{ parse: String, brief: 'File or folder', placeholder: 'path' }] },
  },
  func: (flags: CommonFlags & { project?: string; dryRun?: boolean }, place: string) =>
    perform(flags, async (out, config) =>
      (await import('./import/run-import.ts')).runImport(out, config, { ...flags, place }),
    ),
})

const demo = buildCommand({
  docs: { brief: 'Watch the platform do a real job on the files of this repository' },
  parameters: { flags: { json } },
  func: (flags: CommonFlags) => perform(flags, async (out, config) => (await import('./demo.ts')).runDemo(out, config)),
})

const dev = buildCommand({
  docs: { brief: 'Run all servers in the foreground and restart them when a file changes' },
  parameters: { flags: { json } },
  func: (flags: CommonFlags) => perform(flags, async (out, config) => (await import('./dev.ts')).runDev(out, config)),
})

export function buildApp(version: string) {
  const servers = committedServers()
  const root = buildRouteMap({
    routes: {
      up,
      down,
      status,
      doctor,
      logs,
      migrate,
      dump,
      restore,
      upgrade,
      move,
      call,
      hooks: hooksRoutes,
      import: importCommand,
      demo,
      dev,
      ...toolRoutes(servers),
    },
    docs: { brief: 'Story Portal: the platform under an assistant, on this machine' },
  })
  return buildApplication(root, {
    name: 'story-portal',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel' },
  })
}
