import { buildCommand, buildRouteMap, numberParser } from '@stricli/core'
import type { CommonFlags } from '../app.ts'
import { perform } from '../perform.ts'
import type { HooksFlags } from './run-hooks.ts'

const yes = (brief: string) => ({ kind: 'boolean', optional: true, withNegated: false, brief }) as const

const where = {
  json: yes('Print the result as JSON'),
  project: {
    kind: 'parsed',
    parse: String,
    optional: true,
    brief: 'A folder of the project; default the current one',
    placeholder: 'dir',
  },
  local: yes("The project's settings.local.json, which is not shared"),
  user: yes('The settings of all your projects'),
} as const

const dryRun = yes('Write nothing, say what would be done')

function tokensParser(given: string): number {
  const tokens = numberParser(given)
  if (Number.isInteger(tokens) && tokens >= 300 && tokens <= 10_000) return tokens
  throw new SyntaxError(`${given} is not a whole number from 300 to 10000`)
}

const maxTokens = {
  kind: 'parsed',
  parse: tokensParser,
  optional: true,
  brief: 'Most that a session is given at its start; default 2000',
  placeholder: 'n',
} as const

type Flags = CommonFlags & HooksFlags

/** `story-portal hooks ...` */
export const hooksRoutes = buildRouteMap({
  routes: {
    install: buildCommand({
      docs: {
        brief: "Add the hooks to Claude Code's settings",
        fullDescription:
          'Merges the hooks into .claude/settings.json of the project; everything else in it stays as it is. docs/editor-hooks.md says what each does.',
      },
      parameters: { flags: { ...where, dryRun, maxTokens } },
      func: (flags: Flags) =>
        perform(flags, async (out, config) => (await import('./run-hooks.ts')).runInstall(out, config, flags)),
    }),
    uninstall: buildCommand({
      docs: { brief: 'Remove the hooks that install has added, and nothing else' },
      parameters: { flags: { ...where, dryRun } },
      func: (flags: Omit<Flags, 'maxTokens'>) =>
        perform(flags, async (out, config) => (await import('./run-hooks.ts')).runUninstall(out, config, flags)),
    }),
    status: buildCommand({
      docs: { brief: 'Show which hooks are installed; exits 1 when one is not' },
      parameters: { flags: where },
      func: (flags: Omit<Flags, 'dryRun' | 'maxTokens'>) =>
        perform(flags, async (out, config) => (await import('./run-hooks.ts')).runHooksStatus(out, config, flags)),
    }),
  },
  docs: { brief: 'Hooks of your editor: context comes back by itself when a session starts' },
})
