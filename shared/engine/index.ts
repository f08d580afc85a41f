export { CALLS_QUEUE, cancelCall, submitCall, workCalls } from './background-calls.ts'
export { type BudgetScopes, releaseBudget, reserveBudget, setBudget, settleBudget } from './budgets.ts'
export { executeCall } from './calls.ts'
export { argumentsHash, canonicalJson } from './canonical.ts'
export { claimAcrossTenants, claimTasks, extendLease } from './claims.ts'
export {
  PlanDefinition,
  type PlanDefinitionInput,
  RetryPolicy,
  TASK_KINDS,
  TaskDefinition,
  type TaskDefinitionInput,
} from './definition.ts'
export { planErrors } from './errors.ts'
export { finishTask } from './finish.ts'
export { withIdempotency } from './idempotency.ts'
export { leaseOwner, processOwner, voidOlderBoots } from './leases.ts'
export { loadPlan, type PlanWithTasks, planView } from './plan-view.ts'
export {
  cancelPlan,
  createPlan,
  pausePlan,
  resumePlan,
  revisePlan,
  startPlan,
} from './plans.ts'
export { startReconciler } from './reconciler.ts'
export { registeredTools } from './tool-lookup.ts'
export type * from './types.ts'
export { validatePlan } from './validate.ts'
