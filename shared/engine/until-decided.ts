import { callErrors } from './errors.ts'
import type { CallSpec } from './types.ts'

/** Tools that answer with the approval of a call that a person must allow. */
const ASK_FIRST = [
  'tool-execution.invoke_tool',
  'tool-execution.run_code',
  'service-hub.call_tool',
  'service-hub.run_script',
]

/**
 * An answer that only says that a person has to decide first is none for a script or a task: it throws waitsForApproval, whoever
 * called is put aside, and asks again under the same key when somebody has decided.
 */
export function untilDecided(tool: string, dispatch: CallSpec['dispatch']): CallSpec['dispatch'] {
  if (!ASK_FIRST.includes(tool)) return dispatch
  return async (sent) => {
    const answer = await dispatch(sent)
    const { approval } = answer.output as { approval?: { id: string; status: string } }
    if (approval?.status !== 'pending') return answer
    throw callErrors.waitsForApproval({ approval: approval.id }, { details: { approval_id: approval.id } })
  }
}
