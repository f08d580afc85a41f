import { parseAst } from 'vitest/node'
import { projectFiles, read } from './source-files.ts'

/** One `import`, `export ... from` or `import()` of a source file. */
export interface Import {
  specifier: string
  /** Types only: gone at run time, so it can't close a cycle. */
  typeOnly: boolean
}

export interface SourceModule {
  /** From the root: `shared/db/index.ts`. */
  file: string
  imports: Import[]
  readsEnvironment: boolean
}

interface Node {
  type: string
  [key: string]: unknown
}

/** Every TypeScript and JavaScript file of the project, parsed. */
export function sourceModules(): SourceModule[] {
  return projectFiles()
    .filter((file) => /\.(ts|js)$/.test(file))
    .map((file) => parseModule(file, read(file)))
}

/** What one file imports; `file` decides the language by its end. */
export function parseModule(file: string, text: string): SourceModule {
  const program = parseAst(text, { lang: file.endsWith('.ts') ? 'ts' : 'js' }) as unknown as Node
  const module: SourceModule = { file, imports: [], readsEnvironment: false }
  visit(program, (node) => {
    const found = importOf(node)
    if (found) module.imports.push(found)
    if (isEnvironment(node)) module.readsEnvironment = true
  })
  return module
}

function visit(node: Node, look: (node: Node) => void): void {
  look(node)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === 'object' && 'type' in child) visit(child as Node, look)
    }
  }
}

function importOf(node: Node): Import | undefined {
  const specifier = (node['source'] as { value?: unknown } | null | undefined)?.value
  if (typeof specifier !== 'string') return undefined
  switch (node.type) {
    case 'ImportDeclaration':
      return { specifier, typeOnly: node['importKind'] === 'type' || allTypes(node['specifiers'], 'importKind') }
    case 'ExportNamedDeclaration':
      return { specifier, typeOnly: node['exportKind'] === 'type' || allTypes(node['specifiers'], 'exportKind') }
    case 'ExportAllDeclaration':
      return { specifier, typeOnly: node['exportKind'] === 'type' }
    case 'ImportExpression':
      return { specifier, typeOnly: false }
    case 'TSImportType':
      return { specifier, typeOnly: true }
    default:
      return undefined
  }
}

/** `import { type A, type B }` has no value among its names. An import without names is there for its effect. */
function allTypes(specifiers: unknown, kind: string): boolean {
  const list = specifiers as Record<string, unknown>[]
  return list.length > 0 && list.every((specifier) => specifier[kind] === 'type')
}

function isEnvironment(node: Node): boolean {
  if (node.type !== 'MemberExpression') return false
  const { object, property } = node as unknown as { object: { name?: string }; property: { name?: string } }
  return object.name === 'process' && property.name === 'env'
}
