import type { TenantScope } from '@story-portal/shared/db'
import { type CallEffect, calleeKey, type Dispatch } from '@story-portal/shared/engine'
import { invalidBy } from '@story-portal/shared/errors'
import { sha256 } from '@story-portal/shared/events'
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

/** What a tool's `verify` is asked. */
export interface Question {
  /** Which the request was sent under, as `idempotency-key`. */
  key: string
  /** As the code gave it. */
  request: unknown
}

/** The key that a receiver outside sees: the same over all attempts, and saying nothing about us. */
export function receiverKey(call: Parameters<typeof calleeKey>[0]): string {
  return sha256(calleeKey(call))
}
