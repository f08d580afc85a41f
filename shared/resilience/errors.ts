import { defineErrors } from '../errors/index.ts'

/** What a caller gets instead of waiting for a dependency that does not answer. */
export const resilienceErrors = defineErrors(0, {
  circuitOpen: {
    number: 'E0851',
    code: 'UNAVAILABLE',
    severity: 'error',
    message: '{name} failed repeatedly and is not asked again before it had time to recover.',
    hint: 'Wait as long as retry_after_ms says; "story-portal doctor" shows what is wrong with it.',
  },
  overloaded: {
    number: 'E0852',
    code: 'UNAVAILABLE',
    severity: 'warning',
    message: '{name} has {running} calls running and {waiting} waiting, as many as it may have.',
    hint: 'Send fewer calls at a time, or try again a little later.',
  },
})
