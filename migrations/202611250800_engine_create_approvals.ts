import { recordTable } from '@story-portal/shared/data'
import { type Kysely, sql } from 'kysely'

/** What waits for a person: one row per parked invocation, bound to its exact arguments by their hash. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'approval',
    table: 'core.approvals',
    columns: `invocation_id text not null, tool text not null, tool_version text, reason text, arguments jsonb,
      arguments_hash text not null, approved_hash text, requested_by text not null, status text not null,
      expires_at timestamptz(3) not null, decided_by text, decided_at timestamptz(3), note text,
      unique (tenant_id, invocation_id),
      check ((status = 'approved') = (approved_hash is not null)),
      foreign key (tenant_id, invocation_id) references core.invocations on delete cascade`,
    search: ['tool', 'reason', 'note'],
    states: { '': ['pending'], pending: ['approved', 'denied', 'expired', 'cancelled'] },
  })
  await sql`create index approvals_pending on core.approvals (expires_at) where status = 'pending'`.execute(db)
}
