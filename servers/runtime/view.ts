import type { RecordOf } from '@story-portal/shared/data'
import type { StepInvocation, TaskRecord } from '@story-portal/shared/engine'

/** What a client sees of a run; leases are the platform's own business. */
export function runForClient(run: RecordOf<'run'>) {
  const { id, kind, status, plan_id, goal_id, agent_id, parent_run_id, input, output, error } = run
  const { started_at, finished_at, created_at, created_by, version } = run
  return {
    ...{ id, kind, status, plan_id, goal_id, agent_id, parent_run_id, input, output, error },
    ...{ started_at, finished_at, created_at, created_by, version },
  }
}

/** A task as a step of its run, with the calls it made. */
export function stepForClient(task: TaskRecord, invocations: readonly StepInvocation[]) {
  const { id, key, name, kind, status, wave, parent_task_id, attempts, max_attempts, error } = task
  const { ready_at, started_at, finished_at } = task
  return {
    ...{ task_id: id, key, name, kind, status, wave, parent_task_id, attempts, max_attempts, error },
    ...{ ready_at, started_at, finished_at },
    invocations: invocations.filter(({ task_id }) => task_id === id).map(({ task_id: _, ...invocation }) => invocation),
  }
}
