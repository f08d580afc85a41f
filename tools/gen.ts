/**
 * `npm run gen` writes everything that follows from the declarations; `npm run gen -- --check` writes nothing, names what is
 * out of date and exits 1.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { errorCatalogue } from '@story-portal/shared/errors'
import { loadServer, serverManifest } from '@story-portal/shared/mcp'
import { currentBuiltins } from '../servers/tool-execution/builtins/manifest.ts'
import {
  builtinTable,
  configurationDocument,
  errorsDocument,
  mcpJson,
  serverTable,
  toolTable,
} from './gen/documents.ts'
import { hasBlock, replaceBlock } from './gen/markdown.ts'
import { toolTypes } from './gen/tool-types.ts'
import { rootDir } from './launch.js'
import { serverFolders } from './registry.ts'

const BUILTIN_TOOLS = 'servers/tool-execution/builtins/builtin-tools.json'

/** What every generated file should contain, by path relative to the root. */
export async function generate(root: string = rootDir): Promise<Map<string, string>> {
  const names = serverFolders(root)
  const loaded = await Promise.all(names.map((name) => loadServer(pathToFileURL(path.join(root, 'servers', name)))))
  for (const file of globSync('{shared,servers,tools}/**/errors.ts', { cwd: root, exclude: ['**/node_modules/**'] })) {
    await import(pathToFileURL(path.join(root, file)).href)
  }
  const servers = loaded.map(serverManifest).sort((a, b) => a.port - b.port)
  const builtins = await currentBuiltins()
  const files = new Map<string, string>()
  for (const server of servers) {
    files.set(`servers/${server.name}/tools.json`, `${JSON.stringify(server, null, 2)}\n`)
    const blocks = { tools: toolTable(server), 'builtin-tools': builtinTable(builtins) }
    addBlocks(files, root, `servers/${server.name}/README.md`, blocks)
  }
  addBlocks(files, root, 'README.md', { servers: serverTable(servers) })
  files.set('.mcp.json', mcpJson(servers))
  files.set('docs/errors.md', errorsDocument(errorCatalogue()))
  files.set('docs/configuration.md', configurationDocument())
  files.set('shared/mcp/generated/tool-types.ts', toolTypes(servers))
  files.set(BUILTIN_TOOLS, `${JSON.stringify(builtins, null, 2)}\n`)
  return files
}

function addBlocks(files: Map<string, string>, root: string, file: string, blocks: Record<string, string>): void {
  const before = readOr(path.join(root, file), undefined)
  if (before === undefined) return
  const after = Object.entries(blocks).reduce(
    (text, [name, content]) => (hasBlock(text, name) ? replaceBlock(text, name, content, file) : text),
    before,
  )
  files.set(file, after)
}

function readOr<T>(file: string, other: T): string | T {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return other
  }
}

if (import.meta.main) {
  const check = process.argv.includes('--check')
  const stale = [...(await generate())].filter(([file, text]) => readOr(path.join(rootDir, file), '') !== text)
  for (const [file, text] of check ? [] : stale) {
    mkdirSync(path.dirname(path.join(rootDir, file)), { recursive: true })
    writeFileSync(path.join(rootDir, file), text)
  }
  const names = stale.map(([file]) => file).join(', ')
  if (stale.length === 0) console.log('Generated files are current.')
  else if (check) console.error(`Out of date: ${names}. Run "npm run gen" and commit the result.`)
  else console.log(`Written: ${names}`)
  process.exitCode = check && stale.length > 0 ? 1 : 0
}
