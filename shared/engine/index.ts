export { hashJson as argumentsHash } from '../events/index.ts'
export { type ApprovalRecord, approvalOf } from './approval-state.ts'
export { type Asked, approvalAnswer, type Decision, decideApproval, type Parked, parkCall } from './approvals.ts'
export {
  type Prepared,
  submitCall,
  type WorkCallsOptions,
  workCalls,
} from './background-calls.ts'
export { type BudgetScopes, type Charge, releaseBudget, reserveBudget, setBudget, settleBudget } from './budgets.ts'
export { cancelCall } from './call-cancel.ts'
export { type Settlement, settleCall } from './call-settle.ts'
export { executeCall } from './calls.ts'
export { type BackgroundCall, CALLS_QUEUE } from './calls-queue.ts'
export { type ClaimRequest, claimAcrossTenants, claimTasks, extendLease } from './claims.ts'
export { type Completed, completeTask } from './complete.ts'
export {
  MAX_FAN_OUT,
  MAX_TASKS,
  PlanDefinition,
  type PlanDefinitionInput,
  RetryPolicy,
  TASK_KINDS,
  TaskDefinition,
  type TaskDefinitionInput,
  type TaskKind,
} from './definition.ts'
export { callErrors, planErrors } from './errors.ts'
export { finishTask } from './finish.ts'
export { type IdempotentCall, withIdempotency } from './idempotency.ts'
export { attemptKey, calleeKey, stepOf } from './keys.ts'
export { type Leadership, leadership } from './leadership.ts'
export { withLeaseEnds } from './lease-extensions.ts'
export { leaseOwner, processOwner } from './leases.ts'
export { parkTask } from './park.ts'
export { createPlan, type NewPlan } from './plan-create.ts'
export { type PlanEstimates, planEstimates } from './plan-estimates.ts'
export { openAssistantTasks, type PlanPulse, planPulse } from './plan-pulse.ts'
export { type Revision, revisePlan } from './plan-revise.ts'
export { runPlan } from './plan-runs.ts'
export { loadPlan, type PlanWithTasks, planView, planViews } from './plan-view.ts'
export { advancePlan, cancelPlan, pausePlan, resumePlan, startPlan } from './plans.ts'
export { type Reconciler, type ReconcilerOptions, startReconciler, voidOlderBoots } from './reconciler.ts'
export { releaseTask } from './release.ts'
export { planRun, type RunRecord } from './run-of-plan.ts'
export {
  invocationsOfTasks,
  planTimeline,
  type RunUsage,
  runUsage,
  type StepInvocation,
  type TimelineEntry,
} from './run-steps.ts'
export { approvalAwaited } from './script-park.ts'
export { compareVersions, isVersion, newestMatching, versionRange } from './semver.ts'
export { isSilence, leavesOpen } from './silence.ts'
export { assertTaskLease } from './task-lease.ts'
export { runsCode, type TaskSpec } from './task-spec.ts'
export { registeredTools } from './tool-lookup.ts'
export type * from './types.ts'
export { untilDecided } from './until-decided.ts'
export { validatePlan } from './validate.ts'
export { ENGINE_CHANNEL, readWake, type Wake, wake } from './wake.ts'
