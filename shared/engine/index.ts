export { type BudgetScopes, releaseBudget, reserveBudget, setBudget, settleBudget } from './budgets.ts'
export { executeCall } from './calls.ts'
export { cancelCall, CALLS_QUEUE, submitCall, workCalls } from './background-calls.ts'
export { argumentsHash, canonicalJson } from './canonical.ts'
export {
  PlanDefinition,
  type PlanDefinitionInput,
  RetryPolicy,
  TASK_KINDS,
  TaskDefinition,
  type TaskDefinitionInput,
} from './definition.ts'
export { planErrors } from './errors.ts'
export { withIdempotency } from './idempotency.ts'
export { leaseOwner, processOwner, voidOlderBoots } from './leases.ts'
export {
  cancelPlan,
  createPlan,
  pausePlan,
  resumePlan,
  revisePlan,
  startPlan,
} from './plans.ts'
export { type PlanWithTasks, loadPlan, planView } from './plan-view.ts'
export { startReconciler } from './reconciler.ts'
export { claimAcrossTenants, claimTasks, extendLease } from './claims.ts'
export { finishTask } from './finish.ts'
export { registeredTools } from './tool-lookup.ts'
export type * from './types.ts'
export { validatePlan } from './validate.ts'
