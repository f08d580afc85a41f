import { type PlanDefinitionInput, planView, validatePlan } from '@story-portal/shared/engine'
import { defineTool, type TxContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkHere } from '../check.ts'
import { planFrom } from '../plan-source.ts'
import { List, PlanId } from '../schema.ts'
import { MoreTasks, PlanInput } from '../task-input.ts'

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
    faults: List,
    waves: List,
  },
  async run({ plan_id, ...source }, ctx) {
    const definition =
      plan_id === undefined ? (await planFrom({ ...source, strategy: 'steps' })).definition : await stored(ctx, plan_id)
    const { kinds, permissions, tools } = await checkHere(ctx, definition)
    const { faults, waves, critical_path } = validatePlan(definition, { tools })
    const all = [...faults, ...kinds, ...permissions].map((fault) => ({ ...fault }))
    return { valid: all.length === 0, faults: all, waves, critical_path }
  },
})

async function stored(ctx: TxContext, planId: string): Promise<PlanDefinitionInput> {
  return (await planView(ctx.tx, planId)).definition as unknown as PlanDefinitionInput
}
