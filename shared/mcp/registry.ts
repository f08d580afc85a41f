import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnyTool, JobDefinition, ServerDefinition } from './define.ts'
import type { LoadedServer } from './host.ts'
import type { PromptDefinition } from './prompts.ts'
import type { ResourceDefinition } from './resources.ts'

const NAME = /^[a-z][a-z0-9_]{1,40}$/
const EFFECTS = ['read', 'create', 'update', 'delete', 'execute']

/**
 * Loads a server from its folder: `server.ts`, the version of `package.json`, every file of `tools/`, `jobs/`, `resources/` and
 * `prompts/` (tests excepted). Throws one Error that lists everything wrong with the folder, because each of them is a mistake in the code.
 */
export async function loadServer(folder: URL): Promise<LoadedServer> {
  const dir = new URL(folder.href.endsWith('/') ? folder.href : `${folder.href}/`)
  const name = basename(fileURLToPath(dir))
  const definition = await importDefault<ServerDefinition>(new URL('server.ts', dir))
  const { version } = JSON.parse(await readFile(new URL('package.json', dir), 'utf8')) as { version: string }
  const toolFiles = await importFolder<AnyTool>(new URL('tools/', dir))
  const jobFiles = await importFolder<JobDefinition>(new URL('jobs/', dir))
  const resourceFiles = await importFolder<ResourceDefinition>(new URL('resources/', dir))
  const promptFiles = await importFolder<PromptDefinition>(new URL('prompts/', dir))

  const faults = [...toolFiles.flatMap(toolFaults), ...duplicateFaults(toolFiles.map(({ value }) => value))]
  faults.push(
    ...jobFiles
      .filter(({ file, value }) => value?.name !== file)
      .map(({ file }) => `jobs/${file}.ts: its job must be named ${file}`),
  )
  const tools = new Set(toolFiles.map(({ value }) => value.name))
  faults.push(...resourceFiles.flatMap((file) => textFaults('resources', file, tools)))
  faults.push(...promptFiles.flatMap((file) => textFaults('prompts', file, tools)))
  if (faults.length > 0) throw new Error(`Server ${name} can not be loaded:\n  ${faults.join('\n  ')}`)
  return assembleServer(
    { ...definition, name, version, resources: valuesOf(resourceFiles), prompts: valuesOf(promptFiles) },
    valuesOf(toolFiles),
    valuesOf(jobFiles),
  )
}

/** A server from its parts; `loadServer` is the way for folders, this one for tests and tools. */
export function assembleServer(
  definition: ServerDefinition & { name: string; version: string } & Partial<
      Pick<LoadedServer, 'resources' | 'prompts'>
    >,
  list: readonly AnyTool[],
  jobs: readonly JobDefinition[] = [],
): LoadedServer {
  const tools = new Map([...list].sort((a, b) => (a.name < b.name ? -1 : 1)).map((tool) => [tool.name, tool]))
  const aliases = new Map(list.flatMap((tool) => (tool.aliases ?? []).map((alias) => [alias, tool] as const)))
  return {
    resources: [],
    prompts: [],
    ...definition,
    tools,
    jobs,
    tool: (wanted) => tools.get(wanted) ?? aliases.get(wanted),
  }
}

export interface Imported<T> {
  /** Without `.ts`. */
  file: string
  value: T
}

function valuesOf<T>(files: readonly Imported<T>[]): T[] {
  return files.map(({ value }) => value)
}

/** The default exports of a folder's files, tests excepted, in name order: a folder is a registry. None where there is no folder. */
export async function importFolder<T>(folder: URL): Promise<Imported<T>[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).sort()
  return Promise.all(
    files.map(async (name) => ({ file: name.slice(0, -3), value: await importDefault<T>(new URL(name, folder)) })),
  )
}

async function importDefault<T>(url: URL): Promise<T> {
  const module: { default?: T } = await import(url.href)
  if (module.default === undefined) throw new Error(`${fileURLToPath(url)} has no default export`)
  return module.default
}

function toolFaults({ file, value: tool }: Imported<AnyTool>): string[] {
  const faults: string[] = []
  const expected = file.replaceAll('-', '_')
  if (tool.name !== expected) faults.push(`its tool must be named ${expected}, not ${tool.name}`)
  if (!NAME.test(tool.name)) faults.push(`the name must match ${NAME.source}`)
  if (!tool.description || tool.description.length > 400) faults.push('the description must have 1 to 400 characters')
  if (!EFFECTS.includes(tool.effect)) faults.push(`the effect must be one of ${EFFECTS.join(', ')}`)
  if (tool.effect === 'execute' && tool.transaction !== false)
    faults.push('an execute tool must declare transaction: false')
  if ('idempotency_key' in tool.input) faults.push('idempotency_key is added by the pipeline; do not declare it')
  for (const alias of tool.aliases ?? [])
    if (!NAME.test(alias)) faults.push(`the alias ${alias} must match ${NAME.source}`)
  return faults.map((fault) => `tools/${file}.ts: ${fault}`)
}

type TextFile = Imported<ResourceDefinition | PromptDefinition>

/** A resource or prompt is named as its file and reads tools of its own server, which a relay reaches too. */
function textFaults(folder: string, { file, value }: TextFile, tools: ReadonlySet<string>): string[] {
  const expected = file.replaceAll('-', '_')
  const read = [value.read?.tool, 'list' in value ? value.list?.tool : undefined].filter((tool) => tool !== undefined)
  const faults = read.filter((tool) => !tools.has(tool)).map((tool) => `the server has no tool ${tool}`)
  if (value.name !== expected || !NAME.test(value.name)) faults.push(`it must be named ${expected}, not ${value.name}`)
  return faults.map((fault) => `${folder}/${file}.ts: ${fault}`)
}

function duplicateFaults(tools: readonly AnyTool[]): string[] {
  const seen = new Set<string>()
  const faults: string[] = []
  for (const name of tools.flatMap((tool) => [tool.name, ...(tool.aliases ?? [])])) {
    if (seen.has(name)) faults.push(`the name or alias ${name} is used twice`)
    seen.add(name)
  }
  return faults
}
