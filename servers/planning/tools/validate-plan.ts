import { type PlanDefinitionInput, planView, validatePlan } from '@story-portal/shared/engine'
import { defineTool, type TxContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkHere } from '../check.ts'
import { type PlanSource, planFrom } from '../plan-source.ts'
import { PlanId } from '../schema.ts'
import { MaxParallel, MoreTasks, PlanInput } from '../task-input.ts'

export default defineTool({
  name: 'validate_plan',
  description:
    'Checks a stored plan or a definition and returns its faults, waves and critical path; it changes nothing. To keep a plan, call create_plan.',
  effect: 'read',
  input: {
    plan_id: PlanId.optional(),
    tasks: MoreTasks.optional(),
    input: PlanInput.optional(),
    max_parallel: MaxParallel.optional(),
    template: z.string().max(100).optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  },
  output: {
    valid: z.boolean(),
    faults: z.array(z.looseObject({ path: z.string(), message: z.string() })),
    waves: z.array(z.array(z.string())),
  },
  async run({ plan_id, ...source }, ctx) {
    const definition = plan_id === undefined ? await sent(source) : await stored(ctx, plan_id)
    const { kinds, permissions, tools } = await checkHere(ctx, definition)
    const { faults, waves, critical_path } = validatePlan(definition, { tools })
    const all = [...faults, ...kinds, ...permissions].map((fault) => ({ ...fault }))
    return { valid: all.length === 0, faults: all, waves, critical_path }
  },
})

/** Only what was sent can be checked, so nothing sent is never a wish for a model's plan. */
async function sent(source: PlanSource): Promise<PlanDefinitionInput> {
  const strategy = source.template === undefined ? 'steps' : 'template'
  return (await planFrom({ ...source, strategy })).definition
}

async function stored(ctx: TxContext, planId: string): Promise<PlanDefinitionInput> {
  return (await planView(ctx.tx, planId)).definition as unknown as PlanDefinitionInput
}
