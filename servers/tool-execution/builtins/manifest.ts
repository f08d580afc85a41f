import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { sha256 } from '@story-portal/shared/data'
import type { BuiltinTool } from './builtin-tool.ts'
import { bundleBuiltins } from './bundle.ts'

/** One built-in tool as it is registered, without its code. */
export interface BuiltinManifest extends BuiltinTool {
  name: string
  /** In builtin-tools. */
  file: string
  /** SHA-256 of the bundled code, in hex. */
  code_hash: string
}

const FOLDER = fileURLToPath(new URL('../builtin-tools/', import.meta.url))
const MANIFEST = new URL('./builtin-tools.json', import.meta.url)

/** What was released; read without loading a tool's libraries. */
export function committedBuiltins(): BuiltinManifest[] {
  return JSON.parse(readFileSync(MANIFEST, 'utf8')) as BuiltinManifest[]
}

/** What the sources say now. Throws when a tool's code is another than the committed one of the same version. */
export async function currentBuiltins(): Promise<BuiltinManifest[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  const bundles = await bundleBuiltins(files)
  const committed = new Map(committedBuiltins().map((tool) => [`${tool.name} ${tool.version}`, tool.code_hash]))
  return await Promise.all(
    files.map(async (file, i) => {
      const { tool } = (await import(pathToFileURL(path.join(FOLDER, file)).href)) as { tool: BuiltinTool }
      const name = `std_${path.basename(file, '.ts').replaceAll('-', '_')}`
      const code_hash = sha256(bundles[i] ?? '')
      const before = committed.get(`${name} ${tool.version}`)
      if (before !== undefined && before !== code_hash)
        throw new Error(`${file} or a library in it has changed: raise its version, a registered one never changes`)
      return { name, file, code_hash, ...tool }
    }),
  )
}
