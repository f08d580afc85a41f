import { defineErrors, type Fault, StoryPortalError } from '../errors/index.ts'

/** Cases of the settings. */
export const configErrors = defineErrors(0, {
  invalid: {
    number: 'E0201',
    code: 'INVALID_INPUT',
    severity: 'critical',
    message: 'The configuration is not usable: {names}',
    hint: 'Correct the settings named in details.faults; docs/configuration.md lists them all.',
  },
})

/** Thrown by `loadConfig`: `details.faults` names every bad setting and why, never its value. Entries exit with `exitCode`. */
export class ConfigError extends StoryPortalError {
  readonly exitCode = 78
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    const known = configErrors.invalid({ names: faults.map((fault) => fault.path).join(', ') })
    super({ ...known, number: 'E0201', message: known.message, hint: known.hint }, known.message, {
      details: { faults: [...faults] },
    })
    this.faults = faults
  }

  /** For a terminal: one line per fault. */
  report(): string {
    const lines = this.faults.map((fault) => `  ${fault.path}: ${fault.message}${fault.hint ? ` (${fault.hint})` : ''}`)
    return ['The configuration is not usable:', ...lines, this.hint].join('\n')
  }
}
