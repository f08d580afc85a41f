import { readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Db } from '../types.ts'
import { type Dumped, writeDump } from './write-dump.ts'

const KEPT = 3
const NAME = /^\d{8}T\d{9}Z\.dump$/

export interface DumpFile {
  file: string
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
      const { size, mtime } = statSync(file)
      return { file, made_at: mtime.toISOString(), bytes: size }
    })
}

/** Writes a dump into the home's folder and removes all but the three newest, and what a killed process left half-made. */
export async function takeDump(db: Db, home: string): Promise<Dumped> {
  const folder = dumpsFolder(home)
  const stamp = new Date().toISOString().replace(/[-:.]/g, '')
  const dumped = await writeDump(db, path.join(folder, `${stamp}.dump`))
  for (const { file } of listDumps(home).slice(KEPT)) rmSync(file, { force: true })
  for (const name of names(folder)) if (name.endsWith('.part')) rmSync(path.join(folder, name), { force: true })
  return dumped
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
