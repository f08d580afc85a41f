import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { projectFolders } from '../../../servers/context-orchestrator/project-root.ts'
import { cliErrors } from '../errors.ts'

/** Whose settings: those of a project that are in its repository, those that are kept out of it, or the user's. */
export type Scope = { of: 'project' | 'local'; folder: string } | { of: 'user' }

export interface SettingsFile {
  /** Links followed; the file may be missing. */
  path: string
  /** undefined: there is no file. */
  text: string | undefined
}

/** Finds and reads the editor's settings. E0296 where links lead out of the project (of the user: out of the home directory). */
export function readSettings(scope: Scope): SettingsFile {
  const root = scope.of === 'user' ? realpathSync(homedir()) : projectRoot(scope.folder)
  const name = scope.of === 'local' ? 'settings.local.json' : 'settings.json'
  const file = resolveWithin(root, path.join(root, '.claude', name))
  try {
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat && !stat.isFile()) throw cliErrors.settingsShape({ place: 'it', file, what: 'a file' })
    return { path: file, text: stat && readFileSync(file, 'utf8') }
  } catch (error) {
    throw coded(error, file)
  }
}

/** Writes the settings in one step, keeping their mode; nothing is written (E0298) when they are no longer as they were read. */
export function writeSettings({ path: file, text: before }: SettingsFile, text: string): void {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    const mode = statSync(file, { throwIfNoEntry: false })?.mode
    const fd = openSync(draft, 'wx')
    try {
      writeFileSync(fd, text)
      if (mode !== undefined) fchmodSync(fd, mode & 0o777)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    assertUnchanged(file, before)
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw coded(error, file)
  }
}

/** Takes away a file that an install had made, and its folder when that is empty and was made too. */
export function removeSettings({ path: file, text: before }: SettingsFile, andFolder: boolean): void {
  try {
    assertUnchanged(file, before)
    rmSync(file)
  } catch (error) {
    throw coded(error, file)
  }
  try {
    if (andFolder) rmdirSync(path.dirname(file))
  } catch {
    // Something else is in it by now.
  }
}

function projectRoot(folder: string): string {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw cliErrors.noFolder({ folder })
  const folders = projectFolders(folder)
  return folders.at(-1) ?? folders[0]
}

/** The real path of the settings, which need not be there: only a link could lead out, and one that leads nowhere does too. */
function resolveWithin(root: string, file: string): string {
  const folder = path.dirname(file)
  const at = lstatSync(folder, { throwIfNoEntry: false }) ? path.join(real(folder, root), path.basename(file)) : file
  const found = lstatSync(at, { throwIfNoEntry: false }) ? real(at, root) : at
  const below = path.relative(root, found)
  if (below === '..' || below.startsWith(`..${path.sep}`) || path.isAbsolute(below)) {
    throw cliErrors.settingsOutside({ file, root })
  }
  return found
}

function real(file: string, root: string): string {
  try {
    return realpathSync(file)
  } catch {
    throw cliErrors.settingsOutside({ file, root })
  }
}

function assertUnchanged(file: string, before: string | undefined): void {
  const now = statSync(file, { throwIfNoEntry: false }) ? readFileSync(file, 'utf8') : undefined
  if (now !== before) throw cliErrors.settingsChanged({ file })
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file',
}

function coded(error: unknown, file: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall === undefined || code === undefined) return error
  return cliErrors.settingsRefused({ file, reason: REASONS[code] ?? code })
}
