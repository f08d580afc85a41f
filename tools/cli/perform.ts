import { type Config, ConfigError, examineConfig } from '@story-portal/shared/config'
import { type Fault, isStoryPortalError, toErrorBody } from '@story-portal/shared/errors'
import { rootDir } from '../launch.js'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { createOutput, type Output } from './output.ts'
import { adoptRunningBase } from './platform-state.ts'

interface Flags {
  json?: boolean
  quiet?: boolean
}

/**
 * Runs one command: loads the configuration, turns every error into words (stderr) or the error body (stdout, with --json)
 * and into the exit code scripts rely on. A number that `run` returns is the exit code, for commands that have several.
 */
export function perform(flags: Flags, run: (out: Output, config: Config) => Promise<unknown>): Promise<void> {
  return performAnyway(flags, (out, config, faults) => {
    if (faults.length > 0) throw new ConfigError(faults)
    return run(out, config)
  })
}

/** For the one command that has to work with a bad configuration, because it explains it: `run` gets the faults. */
export async function performAnyway(
  flags: Flags,
  run: (out: Output, config: Config, faults: readonly Fault[]) => Promise<unknown>,
): Promise<void> {
  const out = createOutput({ json: flags.json ?? false, quiet: flags.quiet ?? false })
  try {
    const { config, faults } = examineConfig({ env: process.env, root: rootDir })
    const code = await run(out, adoptRunningBase(config, process.env), faults)
    process.exitCode = typeof code === 'number' ? code : EXIT.ok
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    report(out, error)
  }
}

function report(out: Output, error: unknown): void {
  out.progress('')
  const { error: body } = toErrorBody(error)
  // A mistake of ours, on the user's own machine: its stack belongs in their report.
  if (!isStoryPortalError(error) && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  if (out.json) {
    process.stdout.write(`${JSON.stringify({ error: body })}\n`)
    return
  }
  const faults = (body.details?.faults ?? []).map(
    ({ path, message, hint }) => `  ${path || '(arguments)'}: ${message}${hint ? `. ${hint}` : ''}`,
  )
  const head = `${out.style('red', body.code)} ${body.number}  ${body.message}`
  const { correlation_id: id } = body
  const logged =
    id === undefined ? [] : [`Correlation id ${id}: "story-portal logs --correlation ${id}" shows what happened.`]
  process.stderr.write(`${[head, ...faults, body.hint, ...logged].join('\n')}\n`)
}
