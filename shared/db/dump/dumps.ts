import { readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Db } from '../types.ts'
import { type Dumped, writeDump } from './write-dump.ts'

const KEPT = 3
const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.dump$/

export interface DumpFile {
  file: string
  /** When it was begun, which its name says. */
  made_at: string
  bytes: number
}

/** `<home>/dumps` */
export function dumpsFolder(home: string): string {
  return path.join(home, 'dumps')
}

/** The whole dumps of a home, newest first. */
export function listDumps(home: string): DumpFile[] {
  const folder = dumpsFolder(home)
  return names(folder)
    .filter((name) => NAME.test(name))
    .sort()
    .reverse()
    .map((name) => {
      const file = path.join(folder, name)
      return { file, made_at: name.replace(NAME, '$1-$2-$3T$4:$5:$6.$7Z'), bytes: statSync(file).size }
    })
}

/** The file for a dump begun at `made_at`. */
export function newDump(home: string, made_at: string): string {
  return path.join(dumpsFolder(home), `${made_at.replace(/[-:.]/g, '')}.dump`)
}

/**
 * Writes a dump into the home's folder and removes older ones. Everybody else waits meanwhile: for a database that nobody else
 * uses. One that is in use: `dumpRunning`.
 */
export async function takeDump(db: Db, home: string): Promise<Dumped> {
  const made_at = new Date().toISOString()
  const dumped = await writeDump(db, newDump(home, made_at), made_at)
  prune(home)
  return dumped
}

/** Removes all but the three newest, and what a killed process left half-made. */
export function prune(home: string): void {
  const folder = dumpsFolder(home)
  for (const { file } of listDumps(home).slice(KEPT)) rmSync(file, { force: true })
  for (const name of names(folder)) if (name.endsWith('.part')) rmSync(path.join(folder, name), { force: true })
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
