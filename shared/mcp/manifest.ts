import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ToolDefinition, toolDefinitions } from './definition.ts'
import type { LoadedServer } from './host.ts'
import type { PromptDefinition } from './prompts.ts'
import type { ResourceDefinition } from './resources.ts'

/** `servers/<name>/tools.json`: what a server is and offers, readable without loading its code. */
export interface ServerManifest {
  name: string
  version: string
  title: string
  layer: string
  port: number
  summary: string
  instructions: string
  tools: readonly ToolDefinition[]
  resources?: readonly ResourceDefinition[]
  prompts?: readonly PromptDefinition[]
}

/** What the generator writes into a server's tools.json. */
export function serverManifest(server: LoadedServer): ServerManifest {
  const { name, version, title, layer, port, summary, instructions, resources, prompts } = server
  return {
    name,
    version,
    title,
    layer,
    port,
    summary,
    instructions,
    tools: toolDefinitions(server),
    ...(resources.length > 0 ? { resources } : {}),
    ...(prompts.length > 0 ? { prompts } : {}),
  }
}

/** The committed manifests of every server below `root`, by port; a folder without one is left out. */
export async function readManifests(root: string): Promise<ServerManifest[]> {
  const folder = join(root, 'servers')
  const entries = await readdir(folder, { withFileTypes: true })
  const found = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map(({ name }) => readManifest(join(folder, name, 'tools.json'))),
  )
  return found.filter((manifest) => manifest !== undefined).sort((a, b) => a.port - b.port)
}

async function readManifest(path: string): Promise<ServerManifest | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ServerManifest
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
