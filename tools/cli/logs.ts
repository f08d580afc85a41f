import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import type { Output } from './output.ts'

export interface LogFilter {
  /** A server's or a process's name. */
  server?: string
  /** Lowest level shown. */
  level?: string
  correlation?: string
}

interface LogLine {
  time: string
  level: string
  name: string
  msg: string
  rest: Record<string, unknown>
  raw: string
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
const LEVELS: readonly string[] = LOG_LEVELS
const COLOURS: Record<string, Parameters<Output['style']>[0]> = {
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
  debug: 'gray',
  trace: 'gray',
}

/** The last `count` lines of all processes of a home, by time. */
export function lastLines(dir: string, count: number, filter: LogFilter): LogLine[] {
  const lines = logFiles(dir).flatMap((file) => parse(readFileSync(path.join(dir, file), 'utf8')))
  return lines
    .filter((line) => matches(line, filter))
    .sort((a, b) => a.time.localeCompare(b.time))
    .slice(-count)
}

/** Yields what is written from now on, until `signal` fires. Files that appear or rotate are picked up. */
export async function* followLines(dir: string, filter: LogFilter, signal: AbortSignal): AsyncGenerator<LogLine> {
  const seen = new Map<string, { ino: number; offset: number }>()
  for (const file of logFiles(dir)) remember(seen, path.join(dir, file))
  while (!signal.aborted) {
    for (const file of logFiles(dir).filter((name) => name.endsWith('.log'))) {
      yield* parse(readNew(seen, path.join(dir, file))).filter((line) => matches(line, filter))
    }
    await sleep(250, undefined, { signal }).catch(() => undefined)
  }
}

export function formatLine(line: LogLine, style: Output['style']): string {
  const colour = COLOURS[line.level]
  const level = line.level.toUpperCase().padEnd(5)
  const rest = Object.entries(line.rest)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  const text = `${line.time.slice(11, 23)} ${colour ? style(colour, level) : level} ${style('bold', line.name)} ${line.msg} ${style('dim', rest)}`
  return text.trimEnd()
}

function logFiles(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => /\.log(\.\d+)?$/.test(name))
      .sort()
  } catch {
    return []
  }
}

function parse(text: string): LogLine[] {
  return text.split('\n').flatMap((raw) => {
    if (raw === '') return []
    try {
      const { time, level, name, msg, pid: _pid, ...rest } = JSON.parse(raw) as Record<string, unknown>
      return [{ time: String(time), level: String(level), name: String(name), msg: clean(msg), rest, raw }]
    } catch {
      // The last line of a killed process may be half written.
      return []
    }
  })
}

/** A log holds other people's text: nothing in it may move the cursor or recolour the terminal. */
function clean(value: unknown): string {
  return stripVTControlCharacters(String(value ?? '')).replace(/\p{Cc}/gu, ' ')
}

function matches(line: LogLine, filter: LogFilter): boolean {
  const { server, level, correlation } = filter
  return (
    (server === undefined || line.name === server || line.rest['server'] === server) &&
    (level === undefined || LEVELS.indexOf(line.level) >= LEVELS.indexOf(level)) &&
    (correlation === undefined || line.rest['correlation_id'] === correlation)
  )
}

function remember(seen: Map<string, { ino: number; offset: number }>, file: string): void {
  const { ino, size } = statSync(file)
  seen.set(file, { ino, offset: size })
}

/** What a file gained since the last look, up to its last whole line. */
function readNew(seen: Map<string, { ino: number; offset: number }>, file: string): string {
  const { ino, size } = statSync(file)
  const before = seen.get(file)
  const offset = before?.ino === ino && before.offset <= size ? before.offset : 0
  const fd = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(size - offset)
    readSync(fd, buffer, 0, buffer.length, offset)
    const whole = buffer.subarray(0, buffer.lastIndexOf(10) + 1)
    seen.set(file, { ino, offset: offset + whole.length })
    return whole.toString('utf8')
  } finally {
    closeSync(fd)
  }
}
