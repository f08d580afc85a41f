/** How a call came in, and from where. */
export interface CallerClient {
  surface: 'stdio' | 'http' | 'sse' | 'rest' | 'cli' | 'internal' | 'test'
  /** The client's own name, for example `claude-code`; untrusted text, shortened. */
  name: string
  /** Working directory; only the stdio entry of the local user sends one, and only then it is trusted for paths. */
  cwd?: string
}

/** Who calls: complete on every surface, before any tool runs. */
export interface Caller {
  tenant_id: string
  /** `user:local`, `service:runtime`, later `user:<id>` and `key:<id>`. */
  subject: string
  roles: readonly string[]
  scopes: readonly string[]
  client: CallerClient
  /** Set for work the platform does for a run: journaled under it, and narrowed to the run's grants. */
  run_id?: string
  /** The plan and the task that the call carries out; written into its invocation. */
  plan_id?: string
  task_id?: string
  /** The lease this call was dispatched under (I4); the callee refuses an older fence. */
  fence?: number
  /** Nesting of sandboxed calls, 0 outside. */
  depth?: number
}
