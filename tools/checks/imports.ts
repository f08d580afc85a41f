import path from 'node:path'
import { folderOf, isTest, OWNERS, READS_ENVIRONMENT, refusal } from './import-rules.ts'
import { type Import, type SourceModule, sourceModules } from './modules.ts'
import { projectFiles, read } from './source-files.ts'

const SHARED = '@story-portal/shared/'

/** Import directions, doors of shared folders, owners of libraries, cycles, reads of the environment. */
export function checkImports(): string[] {
  const modules = sourceModules()
  const manifestOf = manifests()
  return [
    ...modules.flatMap((module) =>
      module.imports.flatMap((item) => faultsOf(module.file, item, manifestOf(module.file))),
    ),
    ...modules.flatMap(environmentFaults),
    ...cycles(modules),
  ]
}

type Manifest = Record<string, Record<string, string>>

/** What a file may take libraries from: the root's manifest, and that of a package of its own below test/ (peers, referees). */
function manifests(): (file: string) => Manifest {
  const rootManifest = JSON.parse(read('package.json')) as Manifest
  const own = projectFiles()
    .filter((file) => /^test\/.+\/package\.json$/.test(file))
    .map((file) => {
      const { dependencies } = JSON.parse(read(file)) as Manifest
      const devDependencies = { ...rootManifest['devDependencies'], ...dependencies }
      return { folder: `${path.posix.dirname(file)}/`, manifest: { ...rootManifest, devDependencies } }
    })
  return (file) => own.find(({ folder }) => file.startsWith(folder))?.manifest ?? rootManifest
}

export function faultsOf(file: string, item: Import, manifest: Manifest): string[] {
  const { specifier } = item
  if (specifier.startsWith('node:')) return []
  const target = localTarget(file, specifier)
  const why = target === undefined ? libraryFault(file, specifier, manifest) : localFault(file, specifier, target)
  return why === undefined ? [] : [`${file}: ${specifier}: ${why}`]
}

/** The project file a specifier means; undefined for a library. */
function localTarget(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(file), specifier)
  if (specifier.startsWith(SHARED)) return `shared/${specifier.slice(SHARED.length)}/index.ts`
  return undefined
}

function localFault(file: string, specifier: string, target: string): string | undefined {
  const from = folderOf(file)
  const to = folderOf(target)
  const refused = refusal(from, to, isTest(file))
  if (refused !== undefined || from === to) return refused
  if (!to.startsWith('shared/') || from === 'tools' || from === 'test') return undefined
  if (from.startsWith('shared/')) {
    if (specifier.startsWith(SHARED)) return 'inside shared, import by relative path'
    // Tests may take one file of the test tools: the door would load all of them.
    return target === `${to}/index.ts` || to === 'shared/testing' ? undefined : `import ${to} through its index.ts`
  }
  return specifier.startsWith(SHARED) ? undefined : `import it as ${SHARED}${to.slice('shared/'.length)}`
}

function libraryFault(file: string, specifier: string, manifest: Manifest): string | undefined {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const listed = manifest['dependencies']?.[name] !== undefined
  if (!listed && manifest['devDependencies']?.[name] === undefined) return 'not in package.json'
  const from = folderOf(file)
  if (isTest(file) || from === 'tools' || from === 'shared/testing') return undefined
  const owners = OWNERS[name]
  const owned = owners === undefined || owners.some((owner) => file.startsWith(`${owner}/`))
  if (!owned) return `only ${owners.join(' and ') || 'tests'} may import it`
  return listed ? undefined : 'a development dependency in code of the product'
}

function environmentFaults({ file, readsEnvironment }: SourceModule): string[] {
  if (!readsEnvironment || isTest(file)) return []
  const allowed = READS_ENVIRONMENT.includes(folderOf(file))
  return allowed ? [] : [`${file}: process.env is read in shared/config only`]
}

/** Files that load each other at run time; every cycle once, beginning with its first file by name. */
export function cycles(modules: SourceModule[]): string[] {
  const edges = new Map(
    modules.map(({ file, imports }) => [
      file,
      imports.filter((item) => !item.typeOnly).flatMap((item) => localTarget(file, item.specifier) ?? []),
    ]),
  )
  const found = new Set<string>()
  const done = new Set<string>()
  const walk = (file: string, trail: string[]): void => {
    const at = trail.indexOf(file)
    if (at >= 0) found.add(inOrder(trail.slice(at)).join(' -> '))
    if (at >= 0 || done.has(file)) return
    for (const next of edges.get(file) ?? []) walk(next, [...trail, file])
    done.add(file)
  }
  for (const file of edges.keys()) walk(file, [])
  return [...found].map((cycle) => `cycle: ${cycle}`)
}

function inOrder(cycle: string[]): string[] {
  const first = cycle.indexOf([...cycle].sort()[0] ?? '')
  return [...cycle.slice(first), ...cycle.slice(0, first)]
}
