import { applyPatch, parsePatch, reversePatch, type StructuredPatch } from 'diff'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Apply a patch',
  description:
    'Applies a unified diff, as git makes it, to the texts of files: changes, new files, deletions, renames, copies; modes do not count. All of it or nothing; a part that does not fit is named.',
  input_schema: {
    type: 'object',
    properties: {
      files: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'Texts by path, as the patch names them without a/ and b/',
      },
      patch: { type: 'string', minLength: 1 },
      reverse: { type: 'boolean', description: 'Takes the patch back' },
    },
    required: ['files', 'patch'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      files: {
        type: 'object',
        additionalProperties: { type: ['string', 'null'] },
        description: 'Only those that the patch touches; null for one that is no longer there',
      },
    },
    required: ['files'],
  },
}

interface Input {
  files: Record<string, string>
  patch: string
  reverse?: boolean
}

export default function patchApply({ files, patch, reverse = false }: Input) {
  const parts = parse(patch)
  const now = new Map(Object.entries(files))
  const touched = new Set<string>()
  for (const part of reverse ? parts.map(undone).toReversed() : parts)
    for (const path of applyPart(now, part)) touched.add(path)
  return { files: Object.fromEntries([...touched].map((path) => [path, now.get(path) ?? null])) }
}

/** Changes `files` by what the patch says of one of them, and returns the paths it touched. */
function applyPart(files: Map<string, string>, part: StructuredPatch): string[] {
  const from = part.isCreate ? undefined : pathOf(part.oldFileName)
  const to = part.isDelete ? undefined : pathOf(part.newFileName)
  const result = patched(files, part, { from, to })
  if (to === undefined && result !== '' && !part.isCopy)
    refuse('patch', `deletes ${from}, which has lines that it does not know`)
  const gone = part.isCopy && to !== undefined ? undefined : from
  if (gone !== undefined) files.delete(gone)
  if (to !== undefined) files.set(to, result)
  return [gone, to].filter((path) => path !== undefined)
}

function patched(
  files: ReadonlyMap<string, string>,
  part: StructuredPatch,
  { from, to }: { from: string | undefined; to: string | undefined },
): string {
  if (part.isBinary) refuse('patch', `changes ${from ?? to}, which is not a text`)
  const text = from === undefined ? '' : files.get(from)
  if (text === undefined) return refuse('files', `has no ${from}, which the patch changes`)
  if (to !== undefined && to !== from && files.has(to)) refuse('files', `has ${to} already, which the patch makes`)
  const result = applyPatch(text, part)
  return result === false ? refuse('patch', `does not fit ${from ?? to}: ${misfit(text, part)}`) : result
}

/** The library forgets that it was a copy, which goes away whatever is in it. */
function undone(part: StructuredPatch): StructuredPatch {
  return part.isCopy ? { ...reversePatch(part), isCopy: true } : reversePatch(part)
}

/** What git format-patch puts under a patch would count as a removed line. */
const SIGNATURE = /^-- \r?\n\d+\.\d.*$/gm

function parse(patch: string): StructuredPatch[] {
  if (/^GIT binary patch\r?$/m.test(patch)) refuse('patch', 'changes a file, which is not a text')
  let parts: StructuredPatch[] = []
  try {
    parts = parsePatch(patch.replace(SIGNATURE, ''))
  } catch {
    refuse('patch', 'is not a unified diff')
  }
  const real = parts.filter(({ oldFileName, newFileName }) => oldFileName !== undefined || newFileName !== undefined)
  if (real.length === 0) refuse('patch', 'is not a unified diff: it names no file')
  return real
}

/** Undefined for what is not there. */
function pathOf(name: string | undefined): string | undefined {
  return name === undefined || name === '/dev/null' ? undefined : name.replace(/^[ab]\//, '')
}

/** The first part that fits nowhere, when those before it were applied. */
function misfit(text: string, part: StructuredPatch): string {
  const at = part.hunks.findIndex((_, i) => applyPatch(text, { ...part, hunks: part.hunks.slice(0, i + 1) }) === false)
  const hunk = part.hunks[at]
  return hunk === undefined ? 'its lines are others' : `part ${at + 1}, at line ${hunk.oldStart}, is not there`
}
