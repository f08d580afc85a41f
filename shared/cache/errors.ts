import { defineErrors } from '../errors/index.ts'

/** Mistakes of the code that uses the ports; a store that is gone is never an error to the caller. */
export const cacheErrors = defineErrors(0, {
  messageTooLarge: {
    number: 'E0801',
    code: 'INTERNAL',
    severity: 'error',
    message: 'A message on the bus may have {limit} bytes, this one has {bytes}.',
    hint: 'Send the id of the record and let the receiver read it.',
  },
  badChannel: {
    number: 'E0802',
    code: 'INTERNAL',
    severity: 'error',
    message: '{channel} is not a name for a bus channel.',
    hint: 'Use lower-case letters, digits, dots, colons, hyphens and underscores, at most 50.',
  },
  badLimit: {
    number: 'E0803',
    code: 'INTERNAL',
    severity: 'error',
    message: 'A rate limit needs at least one point and a window of whole seconds, not {points} in {window_ms} ms.',
    hint: 'Correct the limit where it is defined.',
  },
})
