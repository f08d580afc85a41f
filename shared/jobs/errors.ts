import { defineErrors } from '../errors/index.ts'

export const jobErrors = defineErrors(0, {
  unknownQueue: {
    number: 'E0700',
    code: 'INTERNAL',
    severity: 'error',
    message: 'There is no queue {queue} in this database.',
    hint: 'Declare it with defineQueue in a module that is loaded before the jobs are opened.',
  },
  notOpen: {
    number: 'E0701',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'The job queue has not reached the database yet.',
    hint: 'Try again in a moment; "story-portal doctor" says what is wrong.',
  },
  jobExpired: {
    number: 'E0702',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: 'A job of {queue} did not finish in {seconds} s.',
    hint: 'Raise expire_seconds of the queue or make its jobs smaller.',
  },
})
