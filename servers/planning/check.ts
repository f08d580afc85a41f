import type { PlanDefinitionInput, ToolLookup } from '@story-portal/shared/engine'
import type { Fault } from '@story-portal/shared/errors'
import type { TxContext } from '@story-portal/shared/mcp'
import { planningErrors } from './errors.ts'
import { permissionFaults } from './permissions.ts'
import { missingKindFaults } from './plan-source.ts'
import { toolLookup } from './plan-tools.ts'

const MAX_FAULTS = 100

export interface PlanCheckHere {
  /** Tasks that this installation has no worker for. */
  kinds: Fault[]
  /** Tasks that the caller has no right to. */
  permissions: Fault[]
  tools: ToolLookup
}

/** What only this installation and this caller can answer about a plan; the rest is the engine's `validatePlan`. */
export async function checkHere(ctx: TxContext, definition: PlanDefinitionInput): Promise<PlanCheckHere> {
  return {
    kinds: missingKindFaults(definition).slice(0, MAX_FAULTS),
    permissions: permissionFaults(ctx.host, ctx.caller, definition).slice(0, MAX_FAULTS),
    tools: await toolLookup(ctx, definition),
  }
}

/** Refuses a plan that could not be carried out here or by this caller; answers with the lookup that the engine needs. */
export async function refuseUnrunnable(ctx: TxContext, definition: PlanDefinitionInput): Promise<ToolLookup> {
  const { kinds, permissions, tools } = await checkHere(ctx, definition)
  if (kinds.length > 0) throw planningErrors.kindUnavailable({ first: text(kinds) }, { details: { faults: kinds } })
  if (permissions.length > 0) {
    throw planningErrors.notPermitted({ first: text(permissions) }, { details: { faults: permissions } })
  }
  return tools
}

function text([first]: Fault[]): string {
  return first ? `${first.path}: ${first.message}` : ''
}
