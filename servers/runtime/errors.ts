import { defineErrors } from '@story-portal/shared/errors'

export const runtimeErrors = defineErrors(2, {
  noOutcome: {
    number: 'E2001',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'Invocation {invocation} of the task is {status} and has no result.',
    hint: 'Read it with get_invocation on tool-execution.',
  },
  runEnded: {
    number: 'E2002',
    code: 'CONFLICT',
    severity: 'info',
    message: 'Run {run} is {status} and can not be cancelled.',
    hint: 'Read it with get_run.',
  },
  kindUnavailable: {
    number: 'E2003',
    code: 'UNAVAILABLE',
    severity: 'info',
    message: 'Runs of kind {kind} can not be cancelled here.',
    hint: 'list_runs shows the kinds; only runs of plans are carried out by this installation.',
  },
})
