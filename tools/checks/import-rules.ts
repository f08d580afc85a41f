/** Who may import whom. Folders are `servers/<name>`, `shared/<name>`, `migrations`, `tools`, `test`. */

/** A library and the only places that may import it; everybody else goes through those. */
export const OWNERS: Record<string, string[]> = {
  pg: ['shared/db'],
  pgvector: ['shared/db'],
  '@electric-sql/pglite': ['shared/db'],
  '@electric-sql/pglite-pgvector': ['shared/db'],
  ioredis: ['shared/cache'],
  'rate-limiter-flexible': ['shared/cache'],
  'lru-cache': ['shared/cache'],
  'pg-boss': ['shared/jobs'],
  cockatiel: ['shared/resilience'],
  pino: ['shared/telemetry'],
  'prom-client': ['shared/telemetry'],
  'isolated-vm': ['servers/tool-execution/sandbox'],
  ollama: ['servers/model-gateway'],
  '@modelcontextprotocol/server': ['shared/mcp'],
  '@modelcontextprotocol/server-legacy': ['shared/mcp'],
  '@modelcontextprotocol/node': ['shared/mcp'],
  '@modelcontextprotocol/client': ['shared/mcp', 'servers/tool-execution/upstreams', 'servers/tool-execution/sources'],
  '@modelcontextprotocol/sdk': [],
  vitest: [],
  'fast-check': [],
}

/** Shared folders that everything stands on, and what they may import of shared themselves. */
export const LEAVES: Record<string, string[]> = {
  'shared/errors': [],
  'shared/config': ['shared/errors'],
}

/** May read `process.env`: the one schema, and programs that pass it on. */
export const READS_ENVIRONMENT = ['shared/config', 'shared/testing', 'tools', 'test']

/** The folder a file belongs to, as the rules see it. */
export function folderOf(file: string): string {
  // A file at the root is a program's configuration.
  if (!file.includes('/')) return 'tools'
  const [first = '', second = ''] = file.split('/')
  return (first === 'servers' || first === 'shared') && file.split('/').length > 2 ? `${first}/${second}` : first
}

/** Tests, and the suites they share: they may use what the product may not. */
export function isTest(file: string): boolean {
  return /\.(test|contract)\.ts$/.test(file) || file.startsWith('test/')
}

/** Why a file of `from` may not import from `to`, both as `folderOf` gives them; undefined when it may. */
export function refusal(from: string, to: string, test: boolean): string | undefined {
  if (from === to || from === 'tools' || from === 'test') return undefined
  if (to === 'tools' || to === 'test') return `nobody imports ${to}/`
  if (to.startsWith('servers/')) return 'a server is reached by ctx.call only, never imported'
  if (to === 'migrations') return 'migrations are run, not imported'
  if (to === 'shared/testing' && !test) return 'shared/testing is for tests only'
  if (!to.startsWith('shared/')) return `${to} is not a place to import from`
  const allowed = LEAVES[from]
  if (allowed && !allowed.includes(to) && !test) return `${from} is a leaf: it may import only [${allowed.join(', ')}]`
  return undefined
}
