import { globSync, lstatSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { cliErrors } from '../errors.ts'
import { readClaudeContext } from './claude-contexts.ts'
import type { Imported, Source } from './imported.ts'
import { readMarkdown } from './markdown-memory.ts'
import { readServerMemory } from './server-memory.ts'

const MOST_BYTES = 64 * 1024 * 1024
const MOST_OF_A_NOTE = 1024 * 1024
const MOST_FILES = 5_000

/**
 * What is kept at a path, read by what it is: a JSONL file of server-memory, a folder of the platform before this one (`.claude`, or
 * its contexts), a Markdown note or a folder of them. Throws E0202 when it is nothing of these.
 */
export function readSource(place: string): Source {
  const stats = statSync(place, { throwIfNoEntry: false })
  if (!stats) throw cliErrors.importUnreadable({ place, reason: 'it is not there' })
  if (stats.isFile() && /\.jsonl?$/i.test(place))
    return readServerMemory(readText(place, MOST_BYTES), path.basename(place))
  if (stats.isFile() && /\.(md|markdown)$/i.test(place))
    return readFiles('markdown', path.dirname(place), [path.basename(place)])
  if (!stats.isDirectory())
    throw cliErrors.importUnreadable({ place, reason: 'it is neither a folder nor a .jsonl or .md file' })
  const contexts = globSync('{.claude/contexts,contexts,.}/task-agents/*.json', { cwd: place })
  if (contexts.length > 0) return readFiles('claude-contexts', place, contexts)
  const files = globSync('**/*.{md,markdown}', {
    cwd: place,
    exclude: (name) => name === 'node_modules' || name === '.git',
  })
  if (files.length > 0) return readFiles('markdown', place, files)
  throw cliErrors.importUnreadable({ place, reason: 'there are no task-agents/*.json and no Markdown files in it' })
}

const READERS = { markdown: readMarkdown, 'claude-contexts': readClaudeContext } as const

function readFiles(kind: keyof typeof READERS, folder: string, files: readonly string[]): Source {
  const tasks: Imported[] = []
  const skipped: Source['skipped'] = files
    .slice(MOST_FILES)
    .map((file) => ({ file, reason: `more than ${MOST_FILES} files` }))
  for (const file of files.toSorted().slice(0, MOST_FILES)) {
    try {
      const at = path.join(folder, file)
      if (!lstatSync(at).isFile()) throw new Error('it is no ordinary file')
      tasks.push(READERS[kind](readText(at, MOST_OF_A_NOTE), kind === 'markdown' ? file : path.basename(file, '.json')))
    } catch (error) {
      skipped.push({ file, reason: error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message })
    }
  }
  return { kind, tasks, skipped }
}

function readText(file: string, most: number): string {
  const { size } = statSync(file)
  if (size > most) throw new Error(`it has ${size} bytes, at most ${most} are read`)
  const text = readFileSync(file, 'utf8')
  if (text.includes('\0')) throw new Error('it is not text')
  return text
}
