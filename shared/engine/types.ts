import type { Caller } from '../auth/index.ts'
import type { RecordOf } from '../data/index.ts'
import type { TenantScope } from '../db/index.ts'
import type { Fault } from '../errors/index.ts'

export type InvocationRecord = RecordOf<'invocation'>
export type PlanRecord = RecordOf<'plan'>
export type TaskRecord = RecordOf<'task'>

/**
 * How a callee treats a second dispatch under one key. `pure`: running again is harmless; `journaled`: the callee commits its
 * effect and its journal row together; `outside`: neither is known, so a lost outcome goes to `verify`, never to a blind retry.
 */
export type CallEffect = 'pure' | 'journaled' | 'outside'

/** What a dispatch is given; `signal` is aborted on timeout, cancellation and loss of the lease. */
export interface Dispatch {
  key: string
  fence: number
  /** Milliseconds since the epoch; undefined when the call has no timeout. */
  deadline: number | undefined
  signal: AbortSignal
  invocation: InvocationRecord
}

export interface DispatchResult {
  output?: unknown
  /** Records a failure that still has logs and usage to keep; a plain failure may as well be thrown. */
  error?: unknown
  logs?: unknown
  usage?: Record<string, unknown> | undefined
}

/** What `verify` found out about an outside effect whose reply was lost. */
export type Verdict = { state: 'done'; output: unknown } | { state: 'not_done' } | { state: 'unknown' }

/** What is to be done, without who does it. */
export interface CallIntent {
  caller: Caller
  /** The invocation key: step key + attempt, or subject + tool + idempotency key. Unique in the tenant. */
  key: string
  kind: 'tool' | 'code' | 'script' | 'server_tool' | 'capability' | 'compensation' | 'approval'
  tool?: string
  tool_id?: string
  tool_version?: string
  arguments: unknown
  effect: CallEffect
  attempt?: number
  /** At most `limit` calls with the same key run at a time; the others wait, the oldest first. */
  concurrency?: { key: string; limit: number }
  retry_of?: string
  run_id?: string
  plan_id?: string
  task_id?: string
  parent_invocation_id?: string
}

export interface CallSpec extends CallIntent {
  scope: TenantScope
  lease_ms?: number
  timeout_ms?: number
  signal?: AbortSignal
  /** Throws noPlace instead of waiting for one. */
  leave_queue?: boolean
  /** Who holds the lease; `leaseOwner(boot_id)`. Default: this process. */
  owner?: string
  /** Runs outside any transaction. A StoryPortalError with `details.effect = 'none'` promises that nothing happened. */
  dispatch(call: Dispatch): Promise<DispatchResult>
  verify?(call: { key: string; arguments: unknown }): Promise<Verdict>
}

export type CallResult = InvocationRecord & { replayed: boolean }

/** A tool that a plan names; `undefined` from the lookup means unknown. */
export interface PlanTool {
  name: string
  version: string
  effect?: CallEffect
  status?: string
  /** It says itself how a call of it is undone. */
  compensable?: boolean
}

/** Finds a registered tool by name and version range; synchronous, so that validation stays pure. */
export type ToolLookup = (name: string, version?: string) => PlanTool | undefined

export interface ValidateOptions {
  /** Without it tool names are not checked. */
  tools?: ToolLookup
  max_tasks?: number
}

export interface PlanCheck {
  /** Empty when the plan is sound; paths such as `tasks[3].depends_on[0]`. */
  faults: Fault[]
  /** Task keys by depth: every task of a wave may run at the same time. */
  waves: string[][]
  critical_path: { keys: string[]; estimate_ms: number }
}

export interface ClaimedTask {
  id: string
  tenant_id: string
  plan_id: string
  goal_id: string | null
  key: string
  name: string | null
  kind: TaskRecord['kind']
  spec: Record<string, unknown>
  /** Frozen and bound; for every kind but `tool` also the outputs of the tasks it depends on. */
  input: unknown
  /** 1 for the first try; part of the invocation key. */
  attempt: number
  max_attempts: number
  fence: number
  lease_token: string
  lease_owner: string
  lease_expires_at: string
  deadline_at: string | null
  timeout_ms: number | null
  /** `task/<id>`: the same over all attempts; the invocation key is `<step_key>/<attempt>`. */
  step_key: string
  /** Who the plan runs as. */
  caller: Caller
}

/** Either of the two proves the lease: assistants hold the token, workers the token or the fence. */
export interface LeaseProof {
  lease_token?: string
  fence?: number
}

export type TaskOutcome =
  | { status: 'completed'; output: unknown }
  | { status: 'failed'; error: unknown; retryable: boolean }
  | { status: 'cancelled'; error?: unknown }

export interface FinishedTask {
  task: TaskRecord
  /** How the plan stands now; not its record, which holds the whole definition. */
  plan: Pick<PlanView, 'id' | 'status' | 'phase' | 'progress'>
}

/** Counted live; the columns of the same names on a plan's record are set when its status changes. */
export interface PlanProgress {
  total: number
  pending: number
  completed: number
  failed: number
  skipped: number
  cancelled: number
}

export type PlanView = PlanRecord & {
  progress: PlanProgress
  /** `compensating` while declared compensations of a failed or cancelled plan still run. */
  phase: 'idle' | 'running' | 'failing' | 'compensating' | 'ended'
}
