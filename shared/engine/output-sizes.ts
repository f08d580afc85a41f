import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { MAX_VALUE_BYTES } from './decide.ts'
import type { Gate } from './plan-gate.ts'
import type { TaskRow } from './task-rows.ts'

/**
 * Bytes of outputs, as PostgreSQL prints them, that one transaction loads to decide tasks. Far above what one input may have,
 * because a task may bind small parts of large outputs; far below what ends the process, which would begin again with the same.
 */
const MAX_LOADED_BYTES = 8 * MAX_VALUE_BYTES

interface ByMemory {
  now: TaskRow[]
  later: TaskRow[]
  /** Each alone reads more than that. */
  tooLarge: TaskRow[]
}

/** Divides tasks by whether the outputs that deciding them would load fit into one transaction; nothing of them is loaded. */
export async function byMemory(tx: Tx, gate: PlanOf, tasks: readonly TaskRow[]): Promise<ByMemory> {
  const bytes = await bytesToDecide(tx, gate, tasks)
  const divided: ByMemory = { now: [], later: [], tooLarge: [] }
  let left = MAX_LOADED_BYTES
  for (const task of tasks) {
    const size = bytes.get(task.id) ?? 0
    if (size > MAX_LOADED_BYTES) divided.tooLarge.push(task)
    else if (size > left) divided.later.push(task)
    else {
      divided.now.push(task)
      left -= size
    }
  }
  return divided
}

type PlanOf = Pick<Gate, 'tenant_id' | 'plan_id'>

/** By task id. An output is printed once to be measured, however many read it. */
async function bytesToDecide(tx: Tx, gate: PlanOf, tasks: readonly TaskRow[]): Promise<Map<string, number>> {
  const read = new Map(tasks.map((task) => [task.id, outputsOf(task)]))
  const keys = [...new Set([...read.values()].flat())]
  if (keys.length === 0) return new Map()
  const { rows } = await sql<{ key: string; bytes: number | null }>`
    select k.key, octet_length(k.output::text) as bytes from core.tasks k
    where k.tenant_id = ${gate.tenant_id} and k.plan_id = ${gate.plan_id} and k.key = any(${keys}::text[])`.execute(tx)
  const bytes = new Map(rows.map((row) => [row.key, row.bytes ?? 0]))
  return new Map([...read].map(([id, own]) => [id, own.reduce((sum, key) => sum + (bytes.get(key) ?? 0), 0)]))
}

/** Keys of the tasks whose outputs a task is decided by: those it is passed, and those it reads. */
function outputsOf({ spec, kind }: TaskRow): string[] {
  const passed = passesOutputs({ spec, kind }) ? spec.depends_on : []
  return [...new Set([...passed, ...spec.needs.outputs, ...spec.needs.looks_at])]
}

/** Whether a task's input gets the outputs of the tasks it depends on as they are. */
export function passesOutputs({ spec, kind }: Pick<TaskRow, 'spec' | 'kind'>): boolean {
  return kind !== 'tool' && (spec.pass_outputs ?? spec.for_each === undefined)
}
