import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '@story-portal/shared/config'
import { cliErrors } from '../errors.ts'
import { type Output, table } from '../output.ts'
import { editorHooks } from './editor-hooks.ts'
import { addHooks, checkSettings, type HookGroups, type HookState, hookStates, removeHooks } from './hook-settings.ts'
import { digest, type InstallRecord, readRecord, removeRecord, writeRecord } from './install-record.ts'
import { readSettings, removeSettings, type Scope, type SettingsFile, writeSettings } from './settings-file.ts'

export interface HooksFlags {
  project?: string
  local?: boolean
  user?: boolean
  dryRun?: boolean
  maxTokens?: number
}

const EMPTY = '{}\n'

/** Adds what is missing. An event whose hook was edited by hand is left alone: a second one would do everything twice. */
export async function runInstall(out: Output, { home }: Config, flags: HooksFlags): Promise<void> {
  const { file, record, groups } = look(home, flags)
  const { clean, text, wanted, events } = plan(file.text ?? EMPTY, record, groups)
  const changed = text !== file.text
  if (changed && !flags.dryRun) {
    const made_folder = record?.made_folder ?? !existsSync(path.dirname(file.path))
    const none = file.text === undefined || (record?.before === null && clean === EMPTY)
    writeSettings(file, text)
    const before = none ? null : clean
    writeRecord(home, { settings: file.path, before, after_sha256: digest(text), groups: wanted, made_folder })
  }
  const done = changed
    ? `The hooks are in ${file.path} now.`
    : `The hooks are in ${file.path} already: nothing was changed.`
  const shown = `${changed ? 'This would be merged into' : 'This is already in'} ${file.path}:\n\n${JSON.stringify({ hooks: wanted }, null, 2)}`
  const heading = flags.dryRun ? shown : done
  const result = { settings: file.path, changed, dry_run: flags.dryRun ?? false, events }
  out.result(flags.dryRun ? { ...result, hooks: wanted } : result, [heading, ...notes(events)].join('\n'))
}

/** What the settings become, and what of the hooks is ours to put there. */
function plan(current: string, record: InstallRecord | undefined, groups: HookGroups) {
  const clean = without(current, record)
  const states = hookStates(clean, groups)
  const those = (state: HookState, not = false) =>
    Object.fromEntries(Object.entries(groups).filter(([event]) => (states[event] === state) !== not))
  const wanted = those('edited', true)
  // Installing again what is there would move it to the end.
  const complete = Object.values(hookStates(current, wanted)).every((state) => state === 'installed')
  const text = complete ? current : addHooks(clean, those('absent'))
  return { clean, text, wanted, events: hookStates(text, groups) }
}

/** Takes away what install wrote and nothing else; settings that nobody else has changed are byte for byte what they were. */
export async function runUninstall(out: Output, { home }: Config, flags: HooksFlags): Promise<void> {
  const { file, record, groups } = look(home, flags)
  const current = file.text ?? EMPTY
  const text = removeHooks(without(current, record), groups)
  const changed = file.text !== undefined && text !== current
  const nothingLeft = record?.before === null && Object.keys(JSON.parse(text)).length === 0
  if (changed && !flags.dryRun) {
    if (nothingLeft) removeSettings(file, record?.made_folder ?? false)
    else writeSettings(file, text)
  }
  if (!flags.dryRun) removeRecord(home, file.path)
  const events = hookStates(text, groups)
  const heading = !changed
    ? `There were no hooks of ours in ${file.path}: nothing was changed.`
    : flags.dryRun
      ? `The hooks in ${file.path} would be removed.`
      : `The hooks in ${file.path} are removed.`
  const result = { settings: file.path, changed, dry_run: flags.dryRun ?? false, events }
  out.result(result, [heading, ...notes(events)].join('\n'))
}

/** Exits 0 when all hooks are installed, else 1. */
export async function runHooksStatus(out: Output, { home }: Config, flags: HooksFlags): Promise<number> {
  const { file, record, groups } = look(home, flags)
  const events = hookStates(file.text ?? EMPTY, record?.groups ? { ...groups, ...record.groups } : groups)
  const rows = Object.entries(events).map(([event, state]) => [event, state])
  out.result({ settings: file.path, events }, `${file.path}\n\n${table([['EVENT', 'HOOK'], ...rows], out.style)}`)
  return Object.values(events).every((state) => state === 'installed') ? 0 : 1
}

function look(
  home: string,
  flags: HooksFlags,
): { file: SettingsFile; record: InstallRecord | undefined; groups: HookGroups } {
  const file = readSettings(scopeOf(flags))
  if (file.text !== undefined) checkSettings(file.text, file.path)
  return { file, record: readRecord(home, file.path), groups: editorHooks(home, flags.maxTokens) }
}

function scopeOf({ user = false, local = false, project }: HooksFlags): Scope {
  if (user && (local || project !== undefined)) {
    throw cliErrors.usage({ summary: '--user does not go together with --project or --local.' })
  }
  if (user) return { of: 'user' }
  return { of: local ? 'local' : 'project', folder: path.resolve(project ?? '.') }
}

/** The settings without what the record says was installed; as they were before, when nobody has changed them since. */
function without(text: string, record: InstallRecord | undefined): string {
  if (record === undefined) return text
  if (digest(text) === record.after_sha256) return record.before ?? EMPTY
  return removeHooks(text, record.groups)
}

function notes(events: Record<string, HookState>): string[] {
  const edited = Object.entries(events).flatMap(([event, state]) => (state === 'edited' ? [event] : []))
  return edited.length === 0 ? [] : [`Left alone, because edited by hand or of another folder: ${edited.join(', ')}.`]
}
