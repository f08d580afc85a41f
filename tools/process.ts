import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import path from 'node:path'
import { ConfigError, makeDirectory } from '@story-portal/shared/config'
import { isStoryPortalError } from '@story-portal/shared/errors'
import { prepareHome } from './cli/home.ts'

/** What an entry is about to run. */
export interface Plan {
  home: string
  servers: readonly string[]
  /** Resolves once everything listens; `close` drains: refuses new work, finishes what runs, closes everything. */
  start(): Promise<{ close(): Promise<void> }>
}

const BAD_CONFIG = 78

/**
 * The life of a platform process: starts, says 'ready' to its supervisor, and on SIGTERM, SIGINT or the message 'shutdown'
 * drains and ends with 0. What keeps it from starting is said in plain words on stderr and left in the home for `up` to read.
 */
export async function runProcess(name: string, prepare: () => Plan): Promise<void> {
  let home: string | undefined
  try {
    const plan = prepare()
    home = plan.home
    prepareHome(home)
    const entry = path.join(home, 'run', 'processes', `${name}-${process.pid}.json`)
    writeJson(entry, { name, pid: process.pid, servers: plan.servers, started_at: new Date().toISOString() })
    process.on('exit', () => rmSync(entry, { force: true }))
    const { close } = await plan.start()
    rmSync(failureFile(home, name), { force: true })
    untilAsked(close)
    process.send?.('ready')
    // By itself it is written at the end of a process, which one that is killed does not reach.
    flushCompileCache()
  } catch (error) {
    process.exit(fail(name, home, error))
  }
}

/** Runs `close` once at the first request to end; the terminal and the supervisor may both ask. */
function untilAsked(close: () => Promise<void>): void {
  let ending = false
  const end = () => {
    if (ending) return
    ending = true
    close().then(
      () => process.exit(0),
      (error) => {
        process.stderr.write(`story-portal: ending went wrong: ${String(error)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('message', (message) => message === 'shutdown' && end())
}

function fail(name: string, home: string | undefined, error: unknown): number {
  const code = error instanceof ConfigError ? BAD_CONFIG : 1
  const { message, hint } = describe(error)
  process.stderr.write(`story-portal: ${`${message}\n${hint}`.trim()}\n`)
  // A mistake of ours needs its stack; what we foresaw doesn't.
  if (!(error instanceof ConfigError) && !isStoryPortalError(error))
    process.stderr.write(`${(error as Error)?.stack}\n`)
  if (home !== undefined) {
    try {
      writeJson(failureFile(home, name), { name, at: new Date().toISOString(), exit_code: code, message, hint })
    } catch {
      // A home that can't be written is the very thing to report; stderr has it.
    }
  }
  return code
}

function describe(error: unknown): { message: string; hint: string } {
  if (error instanceof ConfigError) return { message: error.report(), hint: '' }
  if (isStoryPortalError(error)) return { message: `${error.message} (${error.number})`, hint: error.hint }
  return {
    message: `it could not start: ${(error as Error)?.message ?? error}`,
    hint: '"story-portal doctor" checks what it needs.',
  }
}

const failureFile = (home: string, name: string) => path.join(home, 'run', 'failures', `${name}.json`)

/** Whole or not at all: readers never meet half a file. */
function writeJson(file: string, value: unknown): void {
  makeDirectory(path.dirname(file))
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(value), { mode: 0o600 })
  renameSync(`${file}.${process.pid}`, file)
}
