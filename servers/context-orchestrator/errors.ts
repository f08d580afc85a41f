import { defineErrors } from '@story-portal/shared/errors'

export const faults = defineErrors(14, {
  nothingSaved: {
    number: 'E14001',
    code: 'NOT_FOUND',
    severity: 'info',
    message: 'Nothing was saved for {project} yet.',
    hint: 'Call save_context_snapshot; it creates what is missing.',
  },
  futureVersion: {
    number: 'E14002',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The task is at version {version}; {expected} does not exist yet.',
    hint: 'Read the task with get_unified_context and send its version.',
  },
  tooLarge: {
    number: 'E14003',
    code: 'INVALID_INPUT',
    severity: 'info',
    message: 'The merged context has {bytes} bytes; at most {most} are kept.',
    hint: 'Nothing was saved. Empty notes or done_steps with null, or begin another task.',
  },
})
