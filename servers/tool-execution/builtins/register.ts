import { createRecord, listRecords } from '@story-portal/shared/data'
import type { TenantScope, Tx } from '@story-portal/shared/db'
import type { Host } from '@story-portal/shared/mcp'
import { sql } from 'kysely'
import { grantsAnything, grantsOf } from '../grants.ts'
import { embedTool } from '../registered-tools.ts'
import { bundleBuiltins } from './bundle.ts'
import { type BuiltinManifest, committedBuiltins } from './manifest.ts'

const MAX_BUILTINS = 200

/** Registers, for every tenant, what it does not have yet in the released version; one that was deleted or disabled stays so. */
export async function registerBuiltins(host: Host): Promise<void> {
  const { rows } = await host.db.tx({ kind: 'system', name: 'builtin-tools' }, (tx) =>
    sql<{ tenant_id: string }>`select tenant_id from core.tenants`.execute(tx),
  )
  for (const { tenant_id } of rows) await registerFor(host, scopeOf(tenant_id))
}

async function registerFor(host: Host, scope: TenantScope): Promise<void> {
  const missing = await host.db.tx(scope, missingOf, { readOnly: true })
  if (missing.length === 0) return
  const bundles = await bundleBuiltins(missing.map(({ file }) => file))
  const codes = new Map(missing.map(({ file }, i) => [file, bundles[i]]))
  await host.db.tx(scope, async (tx) => {
    // Another process may start at the same time.
    await sql`select pg_advisory_xact_lock(hashtextextended('builtin-tools ' || ${scope.tenant_id}, 0))`.execute(tx)
    for (const tool of await missingOf(tx)) {
      const code = codes.get(tool.file)
      if (code !== undefined) await embedTool(tx, await createRecord(tx, 'tool', columnsOf(tool, code)))
    }
  })
  host.log.info({ tenant: scope.tenant_id, tools: missing.length }, 'built-in tools registered')
}

async function missingOf(tx: Tx): Promise<BuiltinManifest[]> {
  const builtins = committedBuiltins()
  const all = (field: 'name' | 'version') => ({ in: [...new Set(builtins.map((tool) => tool[field]))] })
  const filter = { name: all('name'), semver: all('version') }
  const { items } = await listRecords(tx, 'tool', {
    filter,
    limit: MAX_BUILTINS,
    includeDeleted: true,
    omit: ['source'],
  })
  const there = new Set(items.map(({ name, semver }) => `${name} ${semver}`))
  return builtins.filter(({ name, version }) => !there.has(`${name} ${version}`))
}

function columnsOf(tool: BuiltinManifest, code: string) {
  const { name, version: semver, title, description, input_schema, output_schema, code_hash } = tool
  const { permissions = {}, requires_approval = false } = tool
  return {
    ...{ name, semver, title, description, input_schema, output_schema, permissions, requires_approval },
    source: { type: 'javascript', code },
    source_hash: code_hash,
    limits: {},
    effect: grantsAnything(grantsOf(permissions)) ? ('journaled' as const) : ('pure' as const),
  }
}

function scopeOf(tenant_id: string): TenantScope {
  const source = 'story-portal/tool-execution'
  return { kind: 'tenant', tenant_id, subject: source, correlation_id: 'builtin-tools', source }
}
