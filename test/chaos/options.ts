import { parseArgs } from 'node:util'

export const MODES = ['embedded', 'distributed'] as const
export type Mode = (typeof MODES)[number]

export interface Options {
  seed: number
  modes: readonly Mode[]
  /** Kills of platform and sandbox processes, per mode. */
  kills: number
  /** Kills of the supervisor, per mode. */
  supervisorKills: number
  /** Minutes of the other faults, per mode. */
  minutes: number
  /** Only these, by name; empty: all. */
  faults: readonly string[]
  /** Above 0: the exactly-once run over two worker processes instead of the platforms. */
  invocations: number
  /** At each of its points. */
  pointKills: number
  /** Above 0: so many assistants that save contexts, with --saves each and --kills, instead of the platforms. */
  sessions: number
  saves: number
  json: boolean
  record: boolean
}

export const USAGE = `Usage: npm run chaos -- [options]

  --mode embedded|distributed|both   default both
  --seed N                           faults in the same order again; default a new one, printed
  --kills N                          kill -9 of platform and sandbox processes per mode, default 3
  --supervisor-kills N               kill -9 of PM2's daemon per mode, default 1
  --minutes N                        of the other faults per mode, default 1
  --faults a,b                       only these
  --invocations N                    instead: N keys called exactly once over two worker processes
  --point-kills N                    kill -9 at each of eight points of a call, with --invocations, default 2
  --sessions N                       instead: N assistants save contexts to shared tasks, with --kills; then the same with
                                     @modelcontextprotocol/server-memory
  --saves N                          of each session, with --sessions, default 200
  --json                             the result as JSON on stdout, progress on stderr
  --record                           writes the figures into docs/chaos.md
`

/** What the command line asks for; throws an Error in words for people. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      mode: { type: 'string', default: 'both' },
      seed: { type: 'string' },
      kills: { type: 'string', default: '3' },
      'supervisor-kills': { type: 'string', default: '1' },
      minutes: { type: 'string', default: '1' },
      faults: { type: 'string', default: '' },
      invocations: { type: 'string', default: '0' },
      'point-kills': { type: 'string', default: '2' },
      sessions: { type: 'string', default: '0' },
      saves: { type: 'string', default: '200' },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  })
  const modes = values.mode === 'both' ? MODES : MODES.filter((mode) => mode === values.mode)
  if (modes.length === 0) throw new Error('--mode is embedded, distributed or both')
  return {
    modes,
    seed: number('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31))),
    kills: number('kills', values.kills),
    supervisorKills: number('supervisor-kills', values['supervisor-kills']),
    minutes: number('minutes', values.minutes),
    faults: values.faults.split(',').filter(Boolean),
    invocations: number('invocations', values.invocations),
    pointKills: number('point-kills', values['point-kills']),
    sessions: number('sessions', values.sessions),
    saves: number('saves', values.saves),
    json: values.json,
    record: values.record,
  }
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0) throw new Error(`--${name} is a number from 0 up`)
  return value
}
