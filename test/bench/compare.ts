import { type Measurement, ratioOf } from './benchmark.ts'
import type { Results } from './results.ts'

/** How much worse than the recorded run a ratio to its peer may be. */
const TOLERANCE = 0.25

/** What has become worse, a line each. Only ratios are compared: figures depend on the machine. */
export function compare(recorded: Results, now: Results): string[] {
  return Object.entries(now.measurements).flatMap(([name, measurements]) =>
    measurements.flatMap((measurement) => {
      const before = recorded.measurements[name]?.find(({ job }) => job === measurement.job)
      return before === undefined ? [] : worse(before, measurement)
    }),
  )
}

function worse(before: Measurement, now: Measurement): string[] {
  const [was, is] = [ratioOf(before), ratioOf(now)]
  if (was === undefined || is === undefined) return []
  const change = now.better === 'lower' ? is / was - 1 : was / is - 1
  if (change <= TOLERANCE) return []
  return [`${now.job}: ${is.toFixed(2)} x its peer, recorded ${was.toFixed(2)} x (${Math.round(change * 100)} % worse)`]
}
