import { type ClaimedTask, planRun } from '@story-portal/shared/engine'
import type { Host } from '@story-portal/shared/mcp'
import { taskScope } from './dispatch.ts'

const MAX_KNOWN = 1_000

/** Finds the run that a task belongs to. A plan has one run and keeps it, so it is read once per plan and not per task. */
export function runIds(host: Host): (task: ClaimedTask) => Promise<string | undefined> {
  const known = new Map<string, string>()
  return async (task) => {
    const found = known.get(task.plan_id)
    if (found !== undefined) return found
    const scope = taskScope(task, undefined)
    const run = await host.db.tx(scope, (tx) => planRun(tx, task.plan_id), { readOnly: true })
    if (run === undefined) return undefined
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(task.plan_id, run.id)
    return run.id
  }
}
