import { grantTable, tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/** What the engine keeps beside the records: live plan state, waiting counters, keys, budgets, worker leases; and its indexes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await planState(db)
  await keysAndBudgets(db)
  await leases(db)
  await indexes(db)
}

async function planState(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.plan_progress (
      tenant_id text not null,
      plan_id text not null,
      goal_id text not null,
      plan_status text not null,
      phase text not null check (phase in ('idle', 'running', 'failing', 'compensating', 'ended')),
      total int not null,
      completed int not null default 0,
      failed int not null default 0,
      skipped int not null default 0,
      cancelled int not null default 0,
      max_parallel int,
      has_deferred boolean not null default false,
      facts jsonb,
      error jsonb,
      primary key (tenant_id, plan_id),
      foreign key (tenant_id, plan_id) references core.plans on delete cascade,
      check (completed >= 0 and failed >= 0 and skipped >= 0 and cancelled >= 0
        and completed + failed + skipped + cancelled <= total)
    ) with (fillfactor = 70)`.execute(db)
  await tenantTable(db, 'core.plan_progress')
  await sql`
    create table core.task_waits (
      tenant_id text not null,
      plan_id text not null,
      task_id text not null,
      pending int not null check (pending >= 0),
      primary key (tenant_id, task_id),
      foreign key (tenant_id, task_id) references core.tasks on delete cascade
    ) with (fillfactor = 70)`.execute(db)
  await tenantTable(db, 'core.task_waits')
}

async function keysAndBudgets(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.idempotency_keys (
      tenant_id text not null,
      subject text not null,
      tool text not null,
      key text not null,
      args_hash text not null,
      result jsonb,
      created_at timestamptz(3) not null default core.now(),
      primary key (tenant_id, subject, tool, key)
    )`.execute(db)
  await sql`create index idempotency_keys_age on core.idempotency_keys (created_at)`.execute(db)
  await tenantTable(db, 'core.idempotency_keys')
  await sql`
    create table core.budgets (
      tenant_id text not null,
      scope text not null,
      unit text not null,
      limit_amount numeric(20, 6) not null check (limit_amount >= 0),
      spent numeric(20, 6) not null default 0 check (spent >= 0),
      reserved numeric(20, 6) not null default 0 check (reserved >= 0),
      primary key (tenant_id, scope, unit)
    )`.execute(db)
  await tenantTable(db, 'core.budgets')
  await sql`
    create table core.budget_reservations (
      tenant_id text not null,
      invocation_id text not null,
      scope text not null,
      unit text not null,
      amount numeric(20, 6) not null check (amount >= 0),
      primary key (tenant_id, invocation_id, scope, unit),
      foreign key (tenant_id, scope, unit) references core.budgets on delete cascade
    )`.execute(db)
  await sql`create index budget_reservations_scope on core.budget_reservations (tenant_id, scope, unit)`.execute(db)
  await tenantTable(db, 'core.budget_reservations')
}

/** Who leads a piece of work that one process does for all: no tenant's data. */
async function leases(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.leases (
      name text primary key,
      holder text not null,
      fence int not null,
      expires_at timestamptz(3) not null
    )`.execute(db)
  await grantTable(db, 'core.leases', { app: [], system: ['select', 'insert', 'update', 'delete'] })
}

/** Partial, so that each costs the open work and not the history. The first column is what the reconciler orders by. */
async function indexes(db: Kysely<unknown>): Promise<void> {
  const created = [
    `tasks_ready on core.tasks (tenant_id, ready_at, id) where status = 'ready'`,
    `tasks_due on core.tasks (coalesce(retry_at, ready_at)) where status = 'ready'`,
    `tasks_leased on core.tasks (lease_expires_at) where status = 'running'`,
    `tasks_deadline on core.tasks (deadline_at) where status = 'running' and deadline_at is not null`,
    `tasks_open on core.tasks (tenant_id, plan_id, id) where status in ('pending', 'ready', 'blocked', 'running', 'waiting')`,
    `invocations_leased on core.invocations (lease_expires_at) where status = 'running'`,
    `invocations_pending on core.invocations (created_at) where status = 'pending'`,
    `plan_progress_live on core.plan_progress (tenant_id, plan_id) where phase in ('running', 'failing', 'compensating')`,
    `plan_progress_goal on core.plan_progress (tenant_id, goal_id)`,
  ]
  for (const index of created) await sql.raw(`create index ${index}`).execute(db)
}
