import { hash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { makeDirectory } from '@story-portal/shared/config'
import { homeFiles } from '../home.ts'
import type { HookGroups } from './hook-settings.ts'

/** What an install did to one settings file; kept in the data directory, because settings may hold secrets. */
export interface InstallRecord {
  settings: string
  /** The text without our hooks; null: there was no file. */
  before: string | null
  /** Of the text that was written. */
  after_sha256: string
  groups: HookGroups
  made_folder: boolean
}

/** The record of a settings file; undefined when there is none or it can not be read: then only what it says is lost. */
export function readRecord(home: string, settings: string): InstallRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(home, settings), 'utf8')) as InstallRecord
  } catch {
    return undefined
  }
}

export function writeRecord(home: string, record: InstallRecord): void {
  makeDirectory(homeFiles(home).hooks)
  const ignore = path.join(home, '.gitignore')
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n')
  writeFileSync(recordFile(home, record.settings), `${JSON.stringify(record)}\n`, { mode: 0o600 })
}

export function removeRecord(home: string, settings: string): void {
  rmSync(recordFile(home, settings), { force: true })
}

export function digest(text: string): string {
  return hash('sha256', text)
}

function recordFile(home: string, settings: string): string {
  return path.join(homeFiles(home).hooks, `${digest(settings).slice(0, 32)}.json`)
}
