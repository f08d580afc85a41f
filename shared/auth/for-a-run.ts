import type { Caller } from './types.ts'

/** Whether running code, or the run of a plan, calls: what only a person may do is refused there, whatever was granted. */
export function callsForRun({ depth = 0, run_id }: Caller): boolean {
  return depth > 0 || run_id !== undefined
}
