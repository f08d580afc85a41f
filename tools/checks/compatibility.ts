import { execFileSync } from 'node:child_process'
import type { JsonSchema, ServerManifest, ToolDefinition } from '@story-portal/shared/mcp'
import { projectFiles, read, root } from './source-files.ts'

/** How far a version must rise, in rising order. */
const LEVELS = ['none', 'patch', 'minor', 'major'] as const
export type Level = (typeof LEVELS)[number]

/** Every server whose definitions differ from the last release has a version that says how much they differ. */
export function checkCompatibility(): string[] {
  const release = lastRelease()
  if (release === undefined) return []
  return projectFiles()
    .filter((file) => /^servers\/[^/]+\/tools\.json$/.test(file))
    .flatMap((file) => {
      const before = at(release, file)
      return before === undefined ? [] : versionFault(file, before, JSON.parse(read(file)) as ServerManifest, release)
    })
}

function lastRelease(): string | undefined {
  return git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*')?.trim()
}

function at(release: string, file: string): ServerManifest | undefined {
  const text = git('show', `${release}:${file}`)
  return text === undefined ? undefined : (JSON.parse(text) as ServerManifest)
}

function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    // No tag yet, or the file is younger than the release.
    return undefined
  }
}

function versionFault(file: string, before: ServerManifest, after: ServerManifest, release: string): string[] {
  const needed = changeOf(before.tools, after.tools)
  const made = riseOf(before.version, after.version)
  if (LEVELS.indexOf(made) >= LEVELS.indexOf(needed)) return []
  return [
    `${file}: since ${release} its tools changed by a ${needed} step, its version only from ${before.version} to ${after.version}`,
  ]
}

/** Which part of a semver was raised. */
export function riseOf(before: string, after: string): Level {
  const [a = [], b = []] = [before, after].map((version) => version.split('.').map(Number))
  const changed = [0, 1, 2].find((i) => a[i] !== b[i])
  if (changed === undefined || (b[changed] ?? 0) < (a[changed] ?? 0)) return 'none'
  return (['major', 'minor', 'patch'] as const)[changed] ?? 'none'
}

/** What the difference means for a client that knew the old tools. */
export function changeOf(before: readonly ToolDefinition[], after: readonly ToolDefinition[]): Level {
  const now = new Map(after.map((tool) => [tool.name, tool]))
  const changes = before.map((old): Level => {
    const tool = now.get(old.name)
    if (tool === undefined) return 'major'
    return highest([
      inputChange(old.inputSchema, tool.inputSchema),
      outputChange(old.outputSchema, tool.outputSchema),
      same(old, tool) ? 'none' : 'patch',
    ])
  })
  const added = after.length > before.length || after.some((tool) => !before.some(({ name }) => name === tool.name))
  return highest([...changes, added ? 'minor' : 'none'])
}

/** What was sent before must still be taken. */
function inputChange(before: JsonSchema, after: JsonSchema): Level {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  const required = (after['required'] ?? []) as string[]
  const newlyRequired = required.some((name) => !((before['required'] ?? []) as string[]).includes(name))
  if (newlyRequired || Object.keys(old).some((name) => !takesAllOf(now[name], old[name]))) return 'major'
  return same(bare(before), bare(after)) ? 'none' : 'minor'
}

/** What was answered before must still be answered, in the same form. */
function outputChange(before: JsonSchema, after: JsonSchema): Level {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  const required = (after['required'] ?? []) as string[]
  const noLonger = ((before['required'] ?? []) as string[]).some((name) => !required.includes(name))
  if (noLonger || Object.keys(old).some((name) => !same(bare(now[name]), bare(old[name])))) return 'major'
  return same(bare(before), bare(after)) ? 'none' : 'minor'
}

/** The same field, or one that differs only in wider limits or more values; everything else may refuse what was fine. */
function takesAllOf(now: JsonSchema | undefined, old: JsonSchema | undefined): boolean {
  if (now === undefined || old === undefined) return false
  const wider = (name: string, sign: 1 | -1) =>
    now[name] === undefined || (old[name] !== undefined && sign * Number(now[name]) >= sign * Number(old[name]))
  const limits = ['maxLength', 'maxItems', 'maximum'].every((name) => wider(name, 1))
  const floors = ['minLength', 'minItems', 'minimum'].every((name) => wider(name, -1))
  const values = (now['enum'] ?? old['enum']) as unknown[] | undefined
  const kept = ((old['enum'] ?? []) as unknown[]).every((value) => values?.includes(value))
  return limits && floors && kept && same(withoutLimits(now), withoutLimits(old))
}

function withoutLimits(schema: JsonSchema): unknown {
  const limits = ['maxLength', 'maxItems', 'maximum', 'minLength', 'minItems', 'minimum', 'enum', 'default']
  return Object.fromEntries(Object.entries(bare(schema) as JsonSchema).filter(([name]) => !limits.includes(name)))
}

/** Without the words for people. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(
    ([name, inner]) => !(name === 'description' && typeof inner === 'string'),
  )
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, bare(inner)]))
}

function fieldsOf(schema: JsonSchema): Record<string, JsonSchema> {
  return (schema['properties'] ?? {}) as Record<string, JsonSchema>
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function highest(levels: Level[]): Level {
  return LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))] ?? 'none'
}
