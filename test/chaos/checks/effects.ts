import { labelsOf } from '../load/plan-tasks.ts'
import type { Check } from '../registry.ts'

/** Every task that has an effect outside had it exactly once: by the receiver's own record of what arrived. */
const check: Check = async ({ load, receiver }) => {
  const seen = new Map<string, string[]>()
  for (const { label, key, outcome, fence } of receiver.arrivals()) {
    if (outcome === 'effect') seen.set(label, [...(seen.get(label) ?? []), `${key} fence ${fence}`])
  }
  const wanted = new Set(load.ledger.plans.flatMap(({ name }) => labelsOf(name)))
  const missing = [...wanted].filter((label) => !seen.has(label)).map((label) => `${label} never arrived`)
  const twice = [...seen].filter(([, arrivals]) => arrivals.length > 1)
  const strange = [...seen.keys()].filter((label) => !wanted.has(label)).map((label) => `${label} is of no known task`)
  return [
    ...missing,
    ...strange,
    ...twice.map(([label, from]) => `${label} arrived ${from.length} times: ${from.join(', ')}`),
  ]
}

export default check
