import { type RawBuilder, sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { tenantOf } from '../events/index.ts'
import { HASH_MODEL, hashVector } from './hash-model.ts'

/** What of a long text counts: its first characters. */
const MAX_CHARACTERS = 20_000

export interface Match {
  id: string
  /** Cosine, -1 to 1. */
  similarity: number
}

/** Keeps the vector of one item's text beside the item; again for the same item replaces it. `kind` names the family searched. */
export async function storeEmbedding(tx: Tx, kind: string, item: { id: string; text: string }): Promise<void> {
  const vector = hashVector(item.text.slice(0, MAX_CHARACTERS))
  await sql`
    insert into core.embeddings (tenant_id, kind, item_id, model, vector)
    values (${tenantOf(tx)}, ${kind}, ${item.id}, ${HASH_MODEL}, ${vector}::real[])
    on conflict (tenant_id, kind, item_id) do update set model = excluded.model, vector = excluded.vector`.execute(tx)
}

/**
 * The tenant's items of a kind whose text is most like the query, the nearest first. Exact: every vector is compared, with
 * pgvector where the database has it and by plain SQL where not. `among` is a query of the ids that count.
 */
export async function nearest(
  tx: Tx,
  kind: string,
  query: string,
  { limit, atLeast = 0.2, among }: { limit: number; atLeast?: number; among?: RawBuilder<unknown> },
): Promise<Match[]> {
  const wanted = hashVector(query.slice(0, MAX_CHARACTERS))
  const mine = sql`e.tenant_id = ${tenantOf(tx)} and e.kind = ${kind} and e.model = ${HASH_MODEL}`
  const compared = sql`select e.item_id as id, ${similarity(tx, wanted)} as similarity from core.embeddings e where ${mine}`
  // One look by key for each id, whatever the planner believes of tables that nobody has analysed yet.
  const found = among
    ? sql`select one.* from (${among}) ids(id), lateral (${compared} and e.item_id = ids.id limit 1) one`
    : compared
  const { rows } = await sql<Match>`
    select id, similarity from (${found}) found
    where similarity >= ${atLeast}::float8 order by similarity desc, id limit ${limit}::int`.execute(tx)
  return rows
}

/** Vectors have length 1, so their product is the cosine. */
function similarity(tx: Tx, wanted: readonly number[]): RawBuilder<number> {
  return tx.vector
    ? sql<number>`-(e.vector::vector <#> ${wanted}::real[]::vector)`
    : sql<number>`(select sum(a * b)::float8 from unnest(e.vector, ${wanted}::real[]) as pair(a, b))`
}
