import pino from 'pino'
import { redact } from './redact.ts'
import { rotatingFile } from './rotating-file.ts'

export type Logger = pino.Logger
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

export interface LoggerOptions {
  /** Process name, for example `platform` or `planning`; also the file's name. */
  name: string
  level: LogLevel
  /** One file per process and instance in here; stderr when absent (stdout of a stdio server is protocol only). */
  dir?: string
  /** Tells processes of one name apart, default the process id. */
  instance?: string
  maxBytes?: number
  maxFiles?: number
  /** All log files of the directory together; the oldest finished ones go first. */
  maxTotalBytes?: number
  /** For tests: where the lines go instead. */
  destination?: { write(line: string): void }
}

/** A pino logger whose lines are redacted and bounded on disk. Children carry the correlation id. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redact },
    },
    options.destination ?? openDestination(options),
  )
}

function openDestination(options: LoggerOptions): { write(line: string): void } {
  if (options.dir === undefined) return pino.destination({ dest: 2, sync: true })
  return rotatingFile({
    dir: options.dir,
    name: `${options.name}-${options.instance ?? process.pid}`,
    maxBytes: options.maxBytes ?? 10 * 1024 * 1024,
    maxFiles: options.maxFiles ?? 5,
    maxTotalBytes: options.maxTotalBytes ?? 200 * 1024 * 1024,
  })
}
