import path from 'node:path'
import { platformNode, rootDir, toolsDir } from '../../launch.js'

/** What the editor runs at an event. */
export interface HookGroup {
  matcher?: string
  hooks: { type: 'command'; command: string; timeout: number }[]
}

/** The editor's own names of its events, each with the name that the hook's command knows it by. */
const EVENTS = {
  SessionStart: { run: 'session-start' },
  PreCompact: { run: 'pre-compact' },
  PostToolUse: { run: 'post-edit', matcher: 'Edit|Write|MultiEdit|NotebookEdit' },
  Stop: { run: 'stop' },
  SessionEnd: { run: 'session-end' },
} as const satisfies Record<string, { run: string; matcher?: string }>

/** The hook ends itself long before; this is for a machine that does not get to run it. */
const EDITOR_TIMEOUT_S = 5

const SCRIPT = path.join(toolsDir, 'hooks', 'hook.cjs')

/** What the hook gives a session that starts when its command says nothing else; four bytes a token. */
const PRESET_TOKENS = 2_000

/** The hooks that install writes, one group per event, for the platform of this data directory. */
export function editorHooks(home: string, maxTokens = PRESET_TOKENS): Record<string, HookGroup> {
  const more = maxTokens === PRESET_TOKENS ? '' : ` ${maxTokens}`
  return Object.fromEntries(
    Object.entries(EVENTS).map(([event, { run, ...matcher }]) => [
      event,
      {
        ...matcher,
        hooks: [
          {
            type: 'command',
            command: commandLine(run === 'session-start' ? run + more : run, home),
            timeout: EDITOR_TIMEOUT_S,
          },
        ],
      },
    ]),
  )
}

/** Whether a command runs the hooks of some Story Portal, this or another, as installed or edited by hand. */
export function runsOurHook(command: string): boolean {
  return /[\\/]tools[\\/]hooks[\\/]hook\.cjs\b/.test(command)
}

/** Settings outlive what they name: where this folder is gone, the command does nothing and says nothing. */
function commandLine(run: string, home: string): string {
  const node = quoted(platformNode())
  const script = quoted(SCRIPT)
  const own = home === path.join(rootDir, '.story-portal') ? '' : `STORY_PORTAL_HOME=${quoted(home)} `
  return `if test -x ${node} && test -f ${script}; then ${own}${node} ${script} ${run}; fi`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
