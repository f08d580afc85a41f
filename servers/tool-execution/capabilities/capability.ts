import type { TenantScope } from '@story-portal/shared/db'
import type { CallEffect, Dispatch } from '@story-portal/shared/engine'
import { invalidBy } from '@story-portal/shared/errors'
import { type Host, schemaFaults } from '@story-portal/shared/mcp'
import type { z } from 'zod'
import type { Grants } from '../grants.ts'

/** Who uses a capability. */
export interface CapabilityUse {
  host: Host
  scope: TenantScope
  grants: Grants
  /** Name of the registered tool whose code runs; undefined for one-off code. */
  tool: string | undefined
}

/** Something that code may do beyond calling tools: `@<name>` in its journal. */
export interface Capability<A = unknown> {
  name: string
  /** What the code gave, checked; throws INVALID_INPUT. */
  parse(given: unknown): A
  /** Throws what is DENIED, before anything is journaled. */
  permit(use: CapabilityUse, args: A): void
  effectOf(args: A): CallEffect
  run(use: CapabilityUse, args: A, call: Dispatch): Promise<unknown>
}

export function defineCapability<S extends z.ZodType>(
  definition: Omit<Capability<z.output<S>>, 'parse'> & { args: S },
): Capability {
  const { args: schema, ...capability } = definition
  return {
    ...capability,
    parse(given) {
      const parsed = schema.safeParse(given)
      if (!parsed.success) throw invalidBy(schemaFaults(parsed.error, given, capability.name))
      return parsed.data
    },
  } as Capability
}
