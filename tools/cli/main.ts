import { readFileSync } from 'node:fs'
import path from 'node:path'
import { toErrorBody } from '@story-portal/shared/errors'
import { ExitCode, run, type StricliProcess } from '@stricli/core'
import { rootDir } from '../launch.js'
import { buildApp } from './app.ts'
import { cliErrors } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { normaliseArguments } from './tool-commands.ts'

const { version } = JSON.parse(readFileSync(path.join(rootDir, 'package.json'), 'utf8')) as { version: string }
const inputs = normaliseArguments(process.argv.slice(2))
const json = inputs.includes('--json')

// What the parser says about a mistyped command is kept back: with --json it becomes the same error body as everything else.
let complaint = ''
const host: StricliProcess = {
  stdout: process.stdout,
  stderr: {
    write: (text: string) => {
      complaint += text
    },
    getColorDepth: () => 1,
  },
  env: process.env as Record<string, string>,
  exitCode: null,
}

await run(buildApp(version), inputs, { process: host })
const parserSays = Number(host.exitCode ?? 0)
if (parserSays === ExitCode.UnknownCommand || parserSays === ExitCode.InvalidArgument) {
  process.exitCode = EXIT.usage
  if (json) {
    const body = toErrorBody(cliErrors.usage({ summary: complaint.trim() }))
    process.stdout.write(`${JSON.stringify(body)}\n`)
  } else process.stderr.write(`${complaint.trim()}\n${cliErrors.usage().hint}\n`)
} else {
  if (complaint !== '') process.stderr.write(complaint)
  if (parserSays !== 0) process.exitCode = EXIT.failed
}
