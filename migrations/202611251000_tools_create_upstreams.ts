import { recordTable } from '@story-portal/shared/data'
import type { Kysely } from 'kysely'

/** MCP servers of others whose tools are registered here: how each is reached. Which definitions were accepted is in core.tools. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'upstream',
    table: 'core.upstreams',
    columns: `name text not null, transport jsonb not null, status text not null, unique (tenant_id, name)`,
    search: ['name'],
    states: { '': ['active'], active: ['disabled'], disabled: ['active'] },
  })
}
