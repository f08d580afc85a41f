import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Tx } from '../db/index.ts'
import { checkProperty, fileDatabase, testTenant } from '../testing/index.ts'
import { assertMove, type Kind, type KindName, kindNames, kindOf, kinds, statusOf } from './index.ts'

const machines = [...kinds.values()].filter((kind) => statusOf(kind))

test('the database knows exactly the moves that the code knows', async () => {
  const db = await fileDatabase()
  const { rows } = await db.tx(testTenant(), (tx) =>
    sql<{
      move: string
    }>`select kind || ': ' || from_state || ' -> ' || to_state as move from core.state_transitions`.execute(tx),
  )
  const inCode = machines.flatMap((kind) => {
    const { initial = [], next = {} } = statusOf(kind)?.machine ?? {}
    const starts = initial.map((to) => `${kind.name}:  -> ${to}`)
    const moves = Object.entries(next).flatMap(([from, tos]) => tos.map((to) => `${kind.name}: ${from} -> ${to}`))
    return [...starts, ...moves]
  })
  expect(rows.map((row) => row.move).sort()).toEqual(inCode.sort())
})

test('every kind has a table of its fields, no more and no less, and its trigger that no change goes without an event', async () => {
  const db = await fileDatabase()
  expect(kindNames).toHaveLength(21)
  const { rows } = await db.tx(testTenant(), (tx) =>
    sql<{ table: string; columns: string[]; triggers: string[] }>`
      select 'core.' || c.relname as table,
        array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 order by 1) as columns,
        array(select t.tgname::text from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal order by 1) as triggers
      from pg_class c where c.relnamespace = 'core'::regnamespace and c.relkind = 'r'`.execute(tx),
  )
  const base = ['tenant_id', 'id', 'version', 'created_at', 'updated_at', 'deleted_at', 'created_by']
  for (const kind of kinds.values()) {
    const search = kind.search.length > 0 ? ['search'] : []
    const unchanged = ['context_version', 'context_checkpoint'].includes(kind.name) ? ['unchanged'] : []
    const triggers = [...(statusOf(kind) ? ['recorded', 'state'] : ['recorded']), ...unchanged]
    const table = rows.find((row) => row.table === kind.table)
    expect(table).toEqual({
      table: kind.table,
      columns: [...base, ...Object.keys(kind.fields), ...search].sort(),
      triggers,
    })
  }
})

test('a row that changed without its event can not be committed', async () => {
  const db = await fileDatabase()
  const insert = (tx: Tx) =>
    sql`
    insert into core.feedback (tenant_id, id, version, created_at, updated_at, created_by, target_kind, target_id)
    values (current_setting('app.tenant', true), 'fbk_1', 1, now(), now(), 'user:x', 'a', 'b')`.execute(tx)
  await expect(db.tx(testTenant(), insert)).rejects.toThrow('feedback/fbk_1 changed without an event')
})

const needed: Record<string, string> = {
  goal: "title, completes_with) values ('x', 'plan'",
  agent: "name) values ('x'",
  session: "project) values ('x'",
  tool: "name, semver, description, input_schema, source, source_hash, requires_approval, effect) values ('n', '1.0.0', 'd', '{}', '{}', 'h', false, 'pure'",
  run: "kind, fence) values ('script', 0",
  invocation: "call_key, kind, attempt, arguments_hash, effect, fence) values ('k', 'code', 1, 'h', 'pure', 0",
  approval: "invocation_id, tool, arguments_hash, requested_by, expires_at) values ('inv_1', 't', 'h', 'user:x', now()",
  task_context: "project_id, title, head) values ('prj_1', 't', 0",
  role_assignment: "project_id, task_context_id, role) values ('prj_1', 'tcx_1', 'r'",
  handoff: "project_id, task_context_id, number, note, artifacts) values ('prj_1', 'tcx_1', 0, 'n', '[]'",
  context_conflict:
    "project_id, task_context_id, kind, identity, explanation, sides) values ('prj_1', 'tcx_1', 'state_mismatch', 'i', 'e', '{}'",
  project: "name) values ('p'",
  upstream: "name, transport) values ('n', '{}'",
  plan: "goal_id, revision, tasks_total, tasks_completed, tasks_failed, tasks_skipped, tasks_cancelled) values ('gol_1', 1, 0, 0, 0, 0, 0",
  task: "plan_id, key, kind, spec, pending_dependencies, attempts, max_attempts, fence) values ('pln_1', 'k', 'code', '{}', 0, 0, 1, 0",
}

const PARENTS: Record<string, readonly KindName[]> = {
  plan: ['goal'],
  task: ['plan'],
  approval: ['invocation'],
  task_context: ['project'],
  context_conflict: ['task_context'],
  role_assignment: ['task_context'],
  handoff: ['task_context'],
}

/** Writes the state as bare SQL, so that only the trigger decides. */
async function insertAs(tx: Tx, kind: Kind, status: string): Promise<void> {
  const parents = PARENTS[kind.name] ?? []
  for (const parent of parents) await insertAs(tx, kindOf(parent), statusOf(kindOf(parent))?.machine.initial[0] ?? '')
  const [columns = '', values = ''] = (needed[kind.name] ?? '').split(') values (')
  const state = statusOf(kind) ? { column: sql`status, `, value: sql`${status}, ` } : { column: sql``, value: sql`` }
  await sql`
    insert into ${sql.table(kind.table)}
      (tenant_id, id, version, created_at, updated_at, created_by, ${state.column}${sql.raw(columns)})
    values (current_setting('app.tenant', true), ${`${kind.prefix}_1`}, 1, now(), now(), 'user:x', ${state.value}${sql.raw(values)})`.execute(
    tx,
  )
}

async function allowed(doing: () => Promise<unknown>): Promise<boolean> {
  return doing().then(
    () => true,
    (error: { code?: string }) => {
      if (error.code !== 'SP001') throw error
      return false
    },
  )
}

/** What a check of the table wants to change together with the state. */
function alongside(kind: Kind, to: string) {
  return kind.name === 'approval' ? sql`, approved_hash = ${to === 'approved' ? 'h' : null}` : sql``
}

/** Each step in a savepoint, so that a refused one leaves the walk where it was. */
async function walk(tx: Tx, kind: Kind, states: readonly string[]): Promise<boolean[]> {
  const taken: boolean[] = []
  for (const [i, to] of states.entries()) {
    await sql`savepoint step`.execute(tx)
    const move =
      taken.includes(true) && i > 0
        ? () => sql`update ${sql.table(kind.table)} set status = ${to} ${alongside(kind, to)}`.execute(tx)
        : () => insertAs(tx, kind, to)
    const done = await allowed(move)
    if (!done) await sql`rollback to savepoint step`.execute(tx)
    taken.push(done)
  }
  return taken
}

function walkInCode(kind: Kind, states: readonly string[]): boolean[] {
  const initial = statusOf(kind)?.machine.initial ?? []
  let at: string | undefined
  return states.map((to) => {
    try {
      if (at === undefined) {
        if (!initial.includes(to)) return false
      } else assertMove(kind, at, to)
      at = to
      return true
    } catch (error) {
      expect(error).toMatchObject({ number: 'E0013', code: 'CONFLICT', details: { from: at, to } })
      return false
    }
  })
}

test('on random walks through the states, code and database allow the same moves', async () => {
  const db = await fileDatabase()
  const walks = fc.constantFrom(...machines).chain((kind) => {
    const names = Object.keys(statusOf(kind)?.machine.next ?? {})
    return fc.record({
      name: fc.constant(kind.name),
      states: fc.array(fc.constantFrom(...names), { minLength: 5, maxLength: 15 }),
    })
  })
  const rollback = new Error('walked')
  await checkProperty(
    'state machines agree',
    walks,
    async ({ name, states }) => {
      const kind = kindOf(name)
      let taken: boolean[] = []
      const walking = db.tx(testTenant(), async (tx) => {
        taken = await walk(tx, kind, states)
        throw rollback
      })
      await expect(walking).rejects.toBe(rollback)
      expect(taken).toEqual(walkInCode(kind, states))
    },
    { runs: 80 },
  )
})
