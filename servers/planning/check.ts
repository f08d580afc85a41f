import { type PlanDefinitionInput, planErrors, type ToolLookup, validatePlan } from '@story-portal/shared/engine'
import type { Fault, StoryPortalError } from '@story-portal/shared/errors'
import type { OpenContext, TxContext } from '@story-portal/shared/mcp'
import { argumentFaults } from './argument-faults.ts'
import { type CodeCheck, checkCode } from './code-faults.ts'
import { planningErrors } from './errors.ts'
import { permissionFaults } from './permissions.ts'
import { missingKindFaults, type PlanSource, planFrom, type SourcedPlan } from './plan-source.ts'
import { toolLookup } from './plan-tools.ts'
import { vagueTasks } from './vague-tasks.ts'

const MAX_FAULTS = 100

export interface PreparedPlan extends SourcedPlan {
  code: CodeCheck
}

/** The plan that a source stands for, with the sandbox's word on its code: before the transaction, which waits for nobody. */
export async function preparePlan(ctx: OpenContext, source: PlanSource): Promise<PreparedPlan> {
  const plan = await planFrom(source)
  return { ...plan, code: await checkCode(ctx, plan.definition) }
}

export interface PlanCheckHere {
  /** Tasks that this installation has no worker for. */
  kinds: Fault[]
  /** Tasks that the caller has no right to. */
  permissions: Fault[]
  /** Calls that the called tool would refuse. */
  calls: Fault[]
  tools: ToolLookup
}

/** What only this installation and this caller can answer about a plan; the rest is the engine's `validatePlan`. */
export async function checkHere(ctx: TxContext, definition: PlanDefinitionInput): Promise<PlanCheckHere> {
  return {
    kinds: missingKindFaults(definition),
    permissions: permissionFaults(ctx.host, ctx.caller, definition),
    calls: argumentFaults(ctx, definition),
    tools: await toolLookup(ctx, definition),
  }
}

/** Refuses a plan that could not be carried out here or by this caller, with every fault of it at once. */
export async function refuseUnrunnable(
  ctx: TxContext,
  { definition, code }: PreparedPlan,
): Promise<{ tools: ToolLookup; warnings: Fault[] }> {
  const here = await checkHere(ctx, definition)
  const wrong = [...here.calls, ...code.faults]
  if (wrong.length + here.kinds.length + here.permissions.length > 0) {
    // The engine looks at a sound plan when it makes it; only beside other faults its own are asked for here.
    throw refusal({ ...here, wrong: [...validatePlan(definition, here).faults, ...wrong] })
  }
  return { tools: here.tools, warnings: warningsOf(definition, code) }
}

/** What lets a plan be made and may still surprise its maker. */
export function warningsOf(definition: PlanDefinitionInput, code: CodeCheck): Fault[] {
  return [...code.warnings, ...vagueTasks(definition)].slice(0, MAX_FAULTS)
}

function refusal({
  wrong,
  kinds,
  permissions,
}: {
  wrong: Fault[]
  kinds: Fault[]
  permissions: Fault[]
}): StoryPortalError {
  const all = [...wrong, ...kinds, ...permissions]
  const details = { details: { faults: all.slice(0, MAX_FAULTS) } }
  const first = `${all[0]?.path}: ${all[0]?.message}`
  if (wrong.length > 0)
    return planErrors.invalidPlan({ count: all.length, first: `${all[0]?.path} ${all[0]?.message}` }, details)
  if (kinds.length > 0) return planningErrors.kindUnavailable({ first }, details)
  return planningErrors.notPermitted({ first }, details)
}
