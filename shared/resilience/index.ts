import { type DependencyPolicy, type DependencyState, dependencyPolicy } from './policy.ts'
import { type PolicySettings, settingsFor } from './settings.ts'

export type { CircuitName } from './circuit.ts'
export { resilienceErrors } from './errors.ts'
export type { DependencyPolicy, DependencyState, ExecuteOptions } from './policy.ts'
export type { PolicySettings } from './settings.ts'

/** The policies of one process, one per dependency: whoever calls the same thing shares its breaker and its places. */
export interface Resilience {
  /** `database`, `redis`, `server:<name>`, `model:<provider>`; made at the first use. */
  policy(name: string): DependencyPolicy
  /** By name, for health and metrics. */
  states(): DependencyState[]
}

/** Overrides apply by kind (`server`) or by full name (`server:planning`), which wins. */
export function createResilience(overrides: Record<string, Partial<PolicySettings>> = {}): Resilience {
  const policies = new Map<string, DependencyPolicy>()
  return {
    policy(name) {
      const known = policies.get(name)
      if (known) return known
      const made = dependencyPolicy(name, settingsFor(name, overrides))
      policies.set(name, made)
      return made
    },
    states: () =>
      [...policies.values()].map((policy) => policy.state()).sort((a, b) => a.name.localeCompare(b.name, 'en')),
  }
}
