import { defineErrors } from '../errors/index.ts'

/** Cases of the exactly-once calls and of budgets. */
export const callErrors = defineErrors(0, {
  callTimedOut: {
    number: 'E0500',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'The call did not finish in {ms} ms.',
    hint: 'Give it a longer timeout_ms, or use mode "background" and read it with get_invocation.',
  },
  callCancelled: {
    number: 'E0501',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The call was cancelled before it finished.',
    hint: 'Call again with a new idempotency_key to run it anew.',
  },
  outcomeUnknown: {
    number: 'E0502',
    code: 'CONFLICT',
    severity: 'error',
    message: 'Whether the effect of this call happened is not known.',
    hint: 'Look at the receiver, then say what happened with settle_invocation; it is not repeated by itself.',
  },
  notInProgress: {
    number: 'E0503',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The invocation is {status} and can not be cancelled.',
    hint: 'Read it with get_invocation.',
  },
  stillRunning: {
    number: 'E0504',
    code: 'UNAVAILABLE',
    severity: 'info',
    message: 'The call is still running under another worker.',
    hint: 'Read it with get_invocation, or repeat the call with the same idempotency_key.',
  },
  badVersion: {
    number: 'E0505',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: '{what} {value} is not one.',
    hint: 'Write a version as 1.2.3 and a range as 1.2.3, ^1.2, ~1.2.0, 1.x, >=1.0.0 <2.0.0 or *.',
  },
  abandoned: {
    number: 'E0506',
    code: 'UNAVAILABLE',
    severity: 'info',
    message: 'The process that carried out this call stopped before it ended.',
    hint: 'Repeat the call with the same idempotency_key: another process goes on with it.',
  },
  notUnknown: {
    number: 'E0507',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The invocation is {status}: there is nothing to settle.',
    hint: 'Only an invocation that is unknown is settled; list_invocations with status "unknown" shows those.',
  },
  hadNoEffect: {
    number: 'E0508',
    code: 'CONFLICT',
    severity: 'info',
    message: 'Somebody looked and found that this call had no effect.',
    hint: 'Call again with a new idempotency_key to have it done.',
  },
  noPlace: {
    number: 'E0509',
    code: 'UNAVAILABLE',
    severity: 'info',
    message: 'As many calls as may run at a time already do.',
    hint: 'It runs when one of them has ended; get_invocation has the outcome.',
  },
  waitsForApproval: {
    number: 'E0512',
    code: 'UNAVAILABLE',
    severity: 'info',
    message: 'A call of this script waits for a person: {approval}.',
    hint: 'list_approvals on supervision shows it; the script goes on by itself when it is decided.',
  },
  budgetExceeded: {
    number: 'E0510',
    code: 'LIMIT_EXCEEDED',
    severity: 'warning',
    message: 'The budget of {scope} has not {amount} {unit} left.',
    hint: 'Raise the budget of that scope, or ask for less.',
  },
  badAmount: {
    number: 'E0511',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'A budget amount must be a finite number that is not negative.',
    hint: 'Pass the worst case of the call in whole units.',
  },
})

/** Cases of what a person must allow. */
export const approvalErrors = defineErrors(0, {
  denied: {
    number: 'E0520',
    code: 'DENIED',
    severity: 'info',
    message: '{tool} was not allowed by {by}: {why}',
    hint: 'Do something else, or ask again with a new idempotency_key and other arguments.',
  },
  expired: {
    number: 'E0521',
    code: 'DENIED',
    severity: 'info',
    message: 'Nobody decided in time whether {tool} may run.',
    hint: 'Call again with a new idempotency_key; list_approvals on supervision shows what waits.',
  },
  decided: {
    number: 'E0522',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The approval is {status} already, by {by}.',
    hint: 'A decision is final: details has it. The call can be asked for again under a new key.',
  },
})

/** Cases of plans and tasks. */
export const planErrors = defineErrors(0, {
  invalidPlan: {
    number: 'E0600',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The plan has {count} fault(s); the first: {first}',
    hint: 'Correct every entry of details.faults; validate_plan checks a plan without keeping it.',
  },
  leaseLost: {
    number: 'E0601',
    code: 'CONFLICT',
    severity: 'info',
    message: 'The lease on task {task} is lost: it ended, was taken over, or the task is already {status}.',
    hint: 'Discard this result; claim_task gives the next ready task with a new lease.',
  },
  unknownBinding: {
    number: 'E0602',
    code: 'INVALID_INPUT',
    severity: 'warning',
    message: 'The input binding {binding} has no value.',
    hint: 'Look at the output of the task it names with get_plan, then correct the path with revise_plan.',
  },
  fanOutNotList: {
    number: 'E0603',
    code: 'INVALID_INPUT',
    severity: 'warning',
    message: 'for_each of task {task} is not a list.',
    hint: 'Bind it to a list, for example {{tasks.fetch.output.items}}.',
  },
  fanOutTooWide: {
    number: 'E0604',
    code: 'LIMIT_EXCEEDED',
    severity: 'warning',
    message: 'for_each of task {task} has {count} items; at most {max} are allowed.',
    hint: 'Let the task before it group the items into batches.',
  },
  inputTooLarge: {
    number: 'E0605',
    code: 'LIMIT_EXCEEDED',
    severity: 'warning',
    message: 'The input or output of task {task} is larger than {max} bytes.',
    hint: 'Return less from the tasks before it, or set pass_outputs to false and bind only what is needed.',
  },
  wrongPlanState: {
    number: 'E0606',
    code: 'CONFLICT',
    severity: 'info',
    message: 'Plan {plan} is {status}; {action} needs {needed}.',
    hint: 'Read it with get_plan.',
  },
  taskFailed: {
    number: 'E0607',
    code: 'CONFLICT',
    severity: 'warning',
    message: 'Task {task} failed and ended the plan.',
    hint: 'get_plan shows its error and attempts; correct it with revise_plan.',
  },
  taskTimedOut: {
    number: 'E0608',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'Task {task} did not end in its {ms} ms and the time that code may wait for the sandbox before them.',
    hint: 'Raise timeout_ms of the task with revise_plan, or make its step smaller.',
  },
  leaseLostTooOften: {
    number: 'E0609',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'Task {task} lost its worker {count} times.',
    hint: 'It may kill its worker: look at the logs, lower its limits or split it.',
  },
  childFailed: {
    number: 'E0610',
    code: 'CONFLICT',
    severity: 'warning',
    message: '{count} of the {total} items of task {task} did not complete.',
    hint: 'get_plan lists the items as tasks with their errors.',
  },
  badExpression: {
    number: 'E0611',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The expression can not be read: {reason}',
    hint: "Use paths, literals, == != < <= > >= in contains, and, or, not: tasks.fetch.output.count > 3 and plan.input.mode == 'full'.",
  },
})
