import { type PlanDefinitionInput, planView, validatePlan } from '@story-portal/shared/engine'
import { defineTool, type TxContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkHere, preparePlan, warningsOf } from '../check.ts'
import { PlanId } from '../schema.ts'
import { MoreTasks, PlanInput } from '../task-input.ts'
import { told } from '../view.ts'

export default defineTool({
  name: 'validate_plan',
  description: 'Returns faults and waves of a plan or of tasks. To keep a plan, call create_plan.',
  effect: 'read',
  input: {
    plan_id: PlanId.optional(),
    tasks: MoreTasks.optional(),
    input: PlanInput.optional(),
  },
  output: {
    valid: z.boolean().optional(),
  },
  // A plan that is kept already was looked at when it was made.
  prepare: async ({ plan_id, ...source }, ctx) =>
    plan_id === undefined ? preparePlan(ctx, { ...source, strategy: 'steps' }) : undefined,
  async run({ plan_id = '' }, ctx, prepared) {
    const definition = prepared?.definition ?? (await stored(ctx, plan_id))
    const code = prepared?.code ?? { faults: [], warnings: [] }
    const { calls, kinds, permissions, tools } = await checkHere(ctx, definition)
    const { faults, waves, critical_path } = validatePlan(definition, { tools })
    const all = [...faults, ...calls, ...code.faults, ...kinds, ...permissions].map((fault) => ({ ...fault }))
    return { valid: all.length === 0, faults: all, waves, critical_path, ...told(warningsOf(definition, code)) }
  },
})

async function stored(ctx: TxContext, planId: string): Promise<PlanDefinitionInput> {
  return (await planView(ctx.tx, planId)).definition as unknown as PlanDefinitionInput
}
