import { type Config, loadConfig } from '@story-portal/shared/config'
import { isStoryPortalError, toErrorBody } from '@story-portal/shared/errors'
import { rootDir } from '../launch.js'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { createOutput, type Output } from './output.ts'
import { adoptRunningBase } from './platform-state.ts'

/**
 * Runs one command: loads the configuration, turns every error into words (stderr) or the error body (stdout, with --json)
 * and into the exit code scripts rely on. A number that `run` returns is the exit code, for commands that have several.
 */
export async function perform(
  flags: { json?: boolean; quiet?: boolean },
  run: (out: Output, config: Config) => Promise<unknown>,
): Promise<void> {
  const out = createOutput({ json: flags.json ?? false, quiet: flags.quiet ?? false })
  try {
    const config = adoptRunningBase(loadConfig({ env: process.env, root: rootDir }), process.env)
    const code = await run(out, config)
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
  const faults = (body.details?.faults ?? []).map((fault) => `  ${fault.path || '(arguments)'}: ${fault.message}`)
  const head = `${out.style('red', body.code)} ${body.number}  ${body.message}`
  process.stderr.write(`${[head, ...faults, body.hint].join('\n')}\n`)
}
