import type { Tx } from '@story-portal/shared/db'
import { calleeKey, type Dispatch, withIdempotency } from '@story-portal/shared/engine'
import { hashJson } from '@story-portal/shared/events'
import { sql } from 'kysely'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { type CapabilityUse, defineCapability } from './capability.ts'

const MAX_KEYS = 1_000
const MAX_BYTES = 10 * 1_048_576
const MAX_LISTED = 200

const Key = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\0]*$/, 'must not hold NUL')

const permit = ({ grants, tool }: CapabilityUse) => {
  if (!grants.storage || tool === undefined) throw faults.storageDenied()
}

/** `storage.get(key)`: the value, or null. All versions of a tool share its storage within a tenant. */
const get = defineCapability({
  name: 'storage.get',
  args: z.strictObject({ key: Key }),
  permit,
  effectOf: () => 'pure',
  async run({ host, scope, tool = '' }, { key }) {
    const { rows } = await host.db.tx(
      scope,
      (tx) =>
        sql<{ value: unknown }>`
        select value from core.tool_storage where tool = ${tool} and key = ${key}`.execute(tx),
      { readOnly: true },
    )
    return rows[0]?.value ?? null
  },
})

/** `storage.list(prefix)`: up to 200 keys, in order. */
const list = defineCapability({
  name: 'storage.list',
  args: z.strictObject({ prefix: z.string().max(200).default(''), after: z.string().max(200).default('') }),
  permit,
  effectOf: () => 'pure',
  async run({ host, scope, tool = '' }, { prefix, after }) {
    const { rows } = await host.db.tx(
      scope,
      (tx) =>
        sql<{ key: string; bytes: number; updated_at: string }>`
        select key, bytes, updated_at from core.tool_storage
        where tool = ${tool} and starts_with(key, ${prefix}) and key > ${after} order by key limit ${MAX_LISTED}`.execute(
          tx,
        ),
      { readOnly: true },
    )
    return rows
  },
})

/** `storage.set(key, value)`: any JSON. Commits together with its own journal, so it is done once however often it is dispatched. */
const set = defineCapability({
  name: 'storage.set',
  args: z.strictObject({ key: Key, value: z.json() }),
  permit,
  effectOf: () => 'journaled',
  run: (use, args, call) => once(use, { args, call }, (tx, tool) => store(tx, tool, args)),
})

/** `storage.delete(key)`: whether there was one. */
const remove = defineCapability({
  name: 'storage.delete',
  args: z.strictObject({ key: Key }),
  permit,
  effectOf: () => 'journaled',
  run: (use, args, call) =>
    once(use, { args, call }, async (tx, tool) => {
      const { rows } = await sql`
        delete from core.tool_storage where tool = ${tool} and key = ${args.key} returning key`.execute(tx)
      return rows.length > 0
    }),
})

export default [get, list, set, remove]

async function once<T>(
  { host, scope, tool = '' }: CapabilityUse,
  { args, call }: { args: unknown; call: Dispatch },
  change: (tx: Tx, tool: string) => Promise<T>,
): Promise<T> {
  const { result } = await host.db.tx(scope, (tx) => {
    const identity = {
      tool: 'storage',
      key: calleeKey(call.invocation),
      args_hash: hashJson(args),
      subject: scope.subject,
    }
    return withIdempotency(tx, identity, () => change(tx, tool))
  })
  return result
}

/** Writers of one tool's storage take turns, or two could pass the quota together. */
async function store(tx: Tx, tool: string, { key, value }: { key: string; value: unknown }): Promise<null> {
  const json = JSON.stringify(value)
  const bytes = Buffer.byteLength(json)
  await sql`select pg_advisory_xact_lock(hashtextextended(current_setting('app.tenant') || '/' || ${tool}, 0))`.execute(
    tx,
  )
  const { rows } = await sql<{ keys: number; bytes: number }>`
    select count(*)::int as keys, coalesce(sum(bytes), 0)::int as bytes from core.tool_storage
    where tool = ${tool} and key <> ${key}`.execute(tx)
  const others = rows[0] ?? { keys: 0, bytes: 0 }
  if (others.keys + 1 > MAX_KEYS || others.bytes + bytes > MAX_BYTES)
    throw faults.storageFull({ tool, keys: MAX_KEYS, bytes: MAX_BYTES })
  await sql`
    insert into core.tool_storage (tenant_id, tool, key, value, bytes)
    values (current_setting('app.tenant'), ${tool}, ${key}, ${json}::jsonb, ${bytes})
    on conflict (tenant_id, tool, key) do update
    set value = excluded.value, bytes = excluded.bytes, updated_at = core.now()`.execute(tx)
  return null
}
