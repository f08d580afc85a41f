import { defineErrors } from '../errors/index.ts'

/** Why credentials were refused. Callers get `errors.unauthenticated`; these say what an operator must mend. */
export const authErrors = defineErrors(0, {
  noToken: {
    number: 'E0950',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: 'The token file {path} can not be read or written: {reason}.',
    hint: 'Make the directory writable for this user, or set STORY_PORTAL_HOME to one that is.',
  },
  noServiceKey: {
    number: 'E0951',
    code: 'UNAVAILABLE',
    severity: 'critical',
    message: 'STORY_PORTAL_SERVICE_KEY is not set, so this process can neither call nor be called by other hosts.',
    hint: 'Set the same key of at least 32 characters on every host.',
  },
  clocksDiffer: {
    number: 'E0952',
    code: 'UNAVAILABLE',
    severity: 'error',
    message:
      'The clocks of two processes of the platform differ by {seconds} s, so a call between them was not let in.',
    hint: 'Set the clocks of all hosts by the same source; until then such calls are repeated for a while.',
  },
})
