import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { callErrors } from './errors.ts'

/** Whose budgets a call is charged to; a scope without a budget row is not limited. */
export interface BudgetScopes {
  agent_id?: string | undefined
  run_id?: string | undefined
}

/** One charge: `unit` such as `tokens`, `usd` or `tool_calls`, `amount` the worst case that the call is held to. */
export interface Charge extends BudgetScopes {
  invocation_id: string
  unit: string
  amount: number
}

/** Sets the limit of a scope (`tenant`, `agent:<id>` or `run:<id>`); what is spent and reserved stays. */
export async function setBudget(tx: Tx, scope: string, unit: string, limit: number): Promise<void> {
  assertAmount(limit)
  await sql`
    insert into core.budgets (tenant_id, scope, unit, limit_amount)
    values (current_setting('app.tenant'), ${scope}, ${unit}, ${limit}::numeric)
    on conflict (tenant_id, scope, unit) do update set limit_amount = excluded.limit_amount`.execute(tx)
}

/**
 * Reserves the worst case of one call in every budget it falls under, or throws LIMIT_EXCEEDED (E0510) and, with the
 * transaction, reserves nothing. Scopes are locked in the fixed order tenant, agent, run, so reservations never deadlock. The
 * same invocation and unit again changes nothing: a repeated call does not pay twice.
 */
export async function reserveBudget(tx: Tx, charge: Charge): Promise<void> {
  assertAmount(charge.amount)
  for (const scope of scopesOf(charge)) {
    const { rows } = await sql<{ outcome: 'reserved' | 'known' | 'unlimited' | 'exceeded' }>`
      with known as (
        select 1 from core.budget_reservations
        where invocation_id = ${charge.invocation_id} and scope = ${scope} and unit = ${charge.unit}
      ), taken as (
        update core.budgets set reserved = reserved + ${charge.amount}::numeric
        where scope = ${scope} and unit = ${charge.unit} and not exists (select from known)
          and spent + reserved + ${charge.amount}::numeric <= limit_amount
        returning tenant_id
      ), kept as (
        insert into core.budget_reservations (tenant_id, invocation_id, scope, unit, amount)
        select tenant_id, ${charge.invocation_id}, ${scope}, ${charge.unit}, ${charge.amount}::numeric from taken
        returning 1
      )
      select case when exists (select from known) then 'known' when exists (select from kept) then 'reserved'
        when exists (select from core.budgets where scope = ${scope} and unit = ${charge.unit}) then 'exceeded'
        else 'unlimited' end as outcome`.execute(tx)
    if (rows[0]?.outcome !== 'exceeded') continue
    const params = { scope, amount: charge.amount, unit: charge.unit }
    throw callErrors.budgetExceeded(params, { details: params })
  }
}

/**
 * Turns the reservations of an invocation into spending. More than was reserved is not charged, so no budget is ever passed;
 * `overrun` tells the caller that the limit it enforces on the call did not hold.
 */
export async function settleBudget(
  tx: Tx,
  invocationId: string,
  unit: string,
  actual: number,
): Promise<{ overrun: number }> {
  assertAmount(actual)
  const reserved = await closeReservations(tx, invocationId, unit, actual)
  return { overrun: reserved === undefined ? 0 : Math.max(0, actual - reserved) }
}

/** Gives back what an invocation reserved and did not use: it ended without spending. */
export async function releaseBudget(tx: Tx, invocationId: string, unit: string): Promise<void> {
  await closeReservations(tx, invocationId, unit, 0)
}

/** Budgets in the fixed lock order; the amount reserved, or undefined when there was nothing to close. */
async function closeReservations(
  tx: Tx,
  invocationId: string,
  unit: string,
  actual: number,
): Promise<number | undefined> {
  const { rows } = await sql<{ scope: string; amount: string }>`
    delete from core.budget_reservations where invocation_id = ${invocationId} and unit = ${unit}
    returning scope, amount`.execute(tx)
  const inOrder = rows.sort((a, b) => rank(a.scope) - rank(b.scope))
  for (const { scope, amount } of inOrder) {
    await sql`
      update core.budgets set reserved = reserved - ${amount}::numeric,
        spent = spent + least(${actual}::numeric, ${amount}::numeric)
      where scope = ${scope} and unit = ${unit}`.execute(tx)
  }
  return rows[0] === undefined ? undefined : Number(rows[0].amount)
}

function scopesOf({ agent_id, run_id }: BudgetScopes): string[] {
  return ['tenant', ...(agent_id ? [`agent:${agent_id}`] : []), ...(run_id ? [`run:${run_id}`] : [])]
}

function rank(scope: string): number {
  return scope === 'tenant' ? 0 : scope.startsWith('agent:') ? 1 : 2
}

function assertAmount(amount: number): void {
  if (!Number.isFinite(amount) || amount < 0) throw callErrors.badAmount()
}
