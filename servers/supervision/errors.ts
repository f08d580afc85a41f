import { defineErrors } from '@story-portal/shared/errors'

export const faults = defineErrors(8, {
  onlyPeople: {
    number: 'E8001',
    code: 'DENIED',
    severity: 'warning',
    message: 'Running code and runs of plans can not decide about approvals.',
    hint: 'Call decide_approval from a client that a person uses.',
  },
  argumentsDontFit: {
    number: 'E8002',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The arguments do not fit the input_schema of {tool}: {summary}',
    hint: 'Correct what details.faults names; nothing was decided.',
  },
  onlyWhenApproved: {
    number: 'E8003',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'A call that is denied has no arguments.',
    hint: 'Leave arguments out, or approve.',
  },
})
