// Made by "npm run gen" from the tools of every server; do not edit.

/** Input and output of every tool by server, as `ctx.call` types them. */
export interface ToolTypes {
  'data': {
    /** Appends an event of your own to a stream of your own and returns it in its CloudEvents envelope. Changes of records write their events themselves: use update_record. */
    append_event: {
      input: {
        /** Versions count per stream, for example build/42 */
        stream: string
        /** What happened, for example build.finished */
        type: string
        /** Any JSON */
        data: unknown
        /** Refuses when the stream is at another version; 0: must be new */
        expected_version?: number
        /** What it is about; default: the stream after its first slash */
        subject?: string
        /** When it happened, if not now */
        time?: string
        /** Version of the shape of data */
        schema_version?: number
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        event: {
          position: string
          stream: string
          version: number
          type: string
          time: string
          data: unknown
        }
      }
    }
    /** Creates a record and its first event. Plans, tasks, tools, runs, invocations and configurations have tools of their own, such as create_plan, register_tool, set_configuration. */
    create_record: {
      input: {
        /** Kind of record */
        kind: 'agent' | 'configuration' | 'evaluation' | 'feedback' | 'goal' | 'invocation' | 'plan' | 'run' | 'session' | 'task' | 'tool'
        /** Fields of the new record */
        data: Record<string, unknown>
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        record: {
          id: string
          version: number
          created_at: string
          updated_at: string
          created_by: string
        }
      }
    }
    /** Deletes a record softly: lists and reads leave it out, its history stays. To bring it back, call restore_record. */
    delete_record: {
      input: {
        /** Kind of record */
        kind: 'agent' | 'configuration' | 'evaluation' | 'feedback' | 'goal' | 'invocation' | 'plan' | 'run' | 'session' | 'task' | 'tool'
        /** Id, such as gol_... */
        id: string
        /** Refuses when the version is another one */
        expected_version?: number
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        record: {
          id: string
          version: number
          created_at: string
          updated_at: string
          created_by: string
        }
      }
    }
    /** Returns one configuration: value, version, and the schema its values must fit. To find keys, call list_configurations. */
    get_configuration: {
      input: {
        /** For example planning.max_parallel */
        key: string
      }
      output: {
        configuration: {
          key: string
          value: unknown
          version: number
        }
      }
    }
    /** Returns figures of the database as this process sees it: connection, migrations, pgvector, pool, slow queries, missing indexes, table sizes, projections. For other servers, call list_layers. */
    get_data_health: {
      input: Record<string, never>
      output: {
        ok: boolean
        database: {
          mode: string
          server_version: string
          latency_ms: number
          pgvector: string | null
        }
        pool: {
          size: number
          idle: number
          waiting: number
        }
        migrations: {
          applied: number
          pending: string[]
        }
        slow_queries: {
          source: string
          items: {
            query: string
          }[]
        }
        missing_indexes: {
          table: string
        }[]
        tables: {
          table: string
          rows: number
          bytes: number
        }[]
        projections: {
          name: string
          position: string
          behind: number
        }[]
        activity: {
          day: string
          type: string
          events: number
        }[]
      }
    }
    /** Returns one record, now or as it was at a time or event position, rebuilt from its events. To see what changed in between, call get_record_history. */
    get_record: {
      input: {
        /** Kind of record */
        kind: 'agent' | 'configuration' | 'evaluation' | 'feedback' | 'goal' | 'invocation' | 'plan' | 'run' | 'session' | 'task' | 'tool'
        /** Id, such as gol_... */
        id: string
        /** ISO 8601 time, or position of an event */
        as_of?: string
        /** Also a deleted record */
        include_deleted?: boolean
      }
      output: {
        record: {
          id: string
          version: number
          created_at: string
          updated_at: string
          created_by: string
        }
      }
    }
    /** Lists every change of a record, oldest first: who, when, why, and each field from and to. For the whole state at one of them, call get_record with as_of. */
    get_record_history: {
      input: {
        /** Kind of record */
        kind: 'agent' | 'configuration' | 'evaluation' | 'feedback' | 'goal' | 'invocation' | 'plan' | 'run' | 'session' | 'task' | 'tool'
        /** Id, such as gol_... */
        id: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before, with the same arguments */
        cursor?: string
      }
      output: {
        items: {
          version: number
          type: string
          at: string
          by: string
          reason: string | null
          changes: Record<string, {
            from: unknown
            to: unknown
          }>
          position: string
        }[]
        /** Null on the last page */
        next_cursor: string | null
      }
    }
    /** Lists configurations by key with value and version; long values are left out. For one with its schema, call get_configuration. */
    list_configurations: {
      input: {
        /** Only keys that begin so, for example planning. */
        prefix?: string
        /** Words of key or description */
        query?: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before, with the same arguments */
        cursor?: string
      }
      output: {
        items: {
          key: string
          version: number
        }[]
        /** Null on the last page */
        next_cursor: string | null
      }
    }
    /** Lists events in log order, of a stream or across all. To follow the log, send the position of the last event as after_position: no event is ever missed or repeated. */
    list_events: {
      input: {
        /** For example goal/gol_... or build/42 */
        stream?: string
        /** Type or pattern: goal.created, goal.* */
        type?: string
        /** Events of one call and all it caused */
        correlation_id?: string
        /** Only events after this position */
        after_position?: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before, with the same arguments */
        cursor?: string
      }
      output: {
        items: {
          position: string
          stream: string
          version: number
          type: string
          time: string
          data: unknown
        }[]
        /** Null on the last page */
        next_cursor: string | null
      }
    }
    /** Lists records of a kind by filter, words and order, page by page; nulls and long values are left out. For one whole record, call get_record. */
    list_records: {
      input: {
        /** Kind of record */
        kind: 'agent' | 'configuration' | 'evaluation' | 'feedback' | 'goal' | 'invocation' | 'plan' | 'run' | 'session' | 'task' | 'tool'
        /** Field to value, list of values, null, or {eq, ne, in, gt, gte, lt, lte, contains, is_null}: {"status": "active"} */
        filter?: Record<string, unknown>
        /** Words, "exact words", or, -without */
        query?: string
        /** Field; - before it: largest first. Default -created_at, best match with query */
        sort?: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before, with the same arguments */
        cursor?: string
        /** Also deleted records */
        include_deleted?: boolean
      }
      output: {
        items: {
          id: string
          version: number
        }[]
        /** Null on the last page */
        next_cursor: string | null
      }
    }
    /** Computes the tables of a projection again from the event log, beside the live ones, and swaps them in at once. Known projections: activity (events per day and type). */
    rebuild_projection: {
      input: {
        /** Name, for example activity */
        projection: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        projection: string
        events: number
        position: string
      }
    }
    /** Brings a deleted record back as it was. To find deleted ones, call list_records with include_deleted. */
    restore_record: {
      input: {
        /** Kind of record */
        kind: 'agent' | 'configuration' | 'evaluation' | 'feedback' | 'goal' | 'invocation' | 'plan' | 'run' | 'session' | 'task' | 'tool'
        /** Id, such as gol_... */
        id: string
        /** Refuses when the version is another one */
        expected_version?: number
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        record: {
          id: string
          version: number
          created_at: string
          updated_at: string
          created_by: string
        }
      }
    }
    /** Sets a configuration, checked against its JSON Schema, as a new version that takes effect at once without a restart. To see the present one, call get_configuration. */
    set_configuration: {
      input: {
        /** For example planning.max_parallel */
        key: string
        /** Any JSON but null */
        value: unknown
        /** JSON Schema for this and later values; absent: the stored one stays */
        schema?: Record<string, unknown>
        /** What it is for */
        description?: string
        /** Refuses when at another version; 0: must be new */
        expected_version?: number
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        configuration: {
          key: string
          value: unknown
          version: number
        }
      }
    }
    /** Changes fields of one record; state changes must be allowed for its kind. Fields that the platform keeps (plans, tasks, runs, invocations, tools) change by their own tools. */
    update_record: {
      input: {
        /** Kind of record */
        kind: 'agent' | 'configuration' | 'evaluation' | 'feedback' | 'goal' | 'invocation' | 'plan' | 'run' | 'session' | 'task' | 'tool'
        /** Id, such as gol_... */
        id: string
        /** Fields to their new values */
        changes: Record<string, unknown>
        /** Refuses when the version is another one */
        expected_version?: number
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        record: {
          id: string
          version: number
          created_at: string
          updated_at: string
          created_by: string
        }
      }
    }
  }
  'runtime': {
    /** Ends a run for good: a run of a plan cancels the plan, with its leases, open tasks and declared compensations. To stop a plan for a while, call pause_plan on planning. */
    cancel_run: {
      input: {
        /** Id of the run, run_... */
        run_id: string
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        run: {
          id: string
          kind: 'plan' | 'agent' | 'script'
          status: 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled'
        }
      }
    }
    /** Returns one run with a page of its steps (attempts, invocations, times), what it used, and its timeline from the event log. To find an id, call list_runs. */
    get_run: {
      input: {
        /** Id of the run, run_... */
        run_id: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        /** Timeline from after this position */
        after_position?: string
      }
      output: {
        run: {
          id: string
          kind: 'plan' | 'agent' | 'script'
          status: 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled'
        }
        steps: {
          key: string
          status: string
        }[]
        next_cursor: string | null
        usage: {
          invocations: number
          cost_usd: number
        }
        timeline: {
          at: string
          to: string
        }[]
      }
    }
    /** Lists runs, the latest first, by kind, status, plan or goal. For steps, cost and timeline of one, call get_run. */
    list_runs: {
      input: {
        kind?: 'plan' | 'agent' | 'script'
        status?: 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled'
        /** Runs of this plan */
        plan_id?: string
        /** Runs for this goal */
        goal_id?: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
      output: {
        items: {
          id: string
          kind: 'plan' | 'agent' | 'script'
          status: 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled'
        }[]
        next_cursor: string | null
      }
    }
  }
  'tool-execution': {
    /** Returns one invocation: its status, output or error, logs and usage. To find an id, call list_invocations. */
    get_invocation: {
      input: {
        /** Id of the invocation, inv_... */
        invocation_id: string
      }
      output: {
        invocation: {
          id: string
          status: 'pending' | 'running' | 'pending_approval' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'denied' | 'unknown'
        }
      }
    }
    /** Calls a registered tool exactly once and returns the invocation with its output, or its error when the tool failed. For code that is not registered, use run_code. */
    invoke_tool: {
      input: {
        /** Name of the tool, such as word_count */
        tool: string
        /** Version or range, such as 1.2.0 or ^1.0.0; the highest that fits is used */
        version?: string
        /** Must fit the tool's input_schema */
        arguments?: Record<string, unknown>
        /** background returns at once; get_invocation tells how it ended */
        mode?: 'wait' | 'background'
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        invocation: {
          id: string
          status: 'pending' | 'running' | 'pending_approval' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'denied' | 'unknown'
        }
      }
    }
    /** Lists invocations, the latest first, without arguments, output and logs. For all of one, call get_invocation. */
    list_invocations: {
      input: {
        status?: 'pending' | 'running' | 'pending_approval' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'denied' | 'unknown'
        /** tool: a registered tool; server_tool: a call made by code */
        kind?: 'tool' | 'code' | 'script' | 'server_tool'
        /** Name of the tool, or server.tool */
        tool?: string
        /** Id of the invocation, inv_... */
        parent_invocation_id?: string
        run_id?: string
        task_id?: string
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
      output: {
        items: {
          id: string
          status: 'pending' | 'running' | 'pending_approval' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'denied' | 'unknown'
        }[]
        next_cursor: string | null
      }
    }
    /** Registers one version of a tool: its code, JSON Schemas, permissions and limits; versions never change afterwards. To run code once without keeping it, use run_code. */
    register_tool: {
      input: {
        /** Name of the tool, such as word_count */
        name: string
        /** Semantic version, such as 1.0.0 */
        version: string
        title?: string
        /** What it does and when to use it */
        description: string
        /** JSON Schema (2020-12) of the arguments, an object */
        input_schema: Record<string, unknown>
        /** JSON Schema of the result; checked after each call */
        output_schema?: Record<string, unknown>
        /** {"type": "javascript", "code": "..."} */
        source: {
          type: 'javascript' | 'mcp' | 'http'
          /** Body of an async function: input and tools are in scope, what it returns is the result and must be JSON */
          code?: string
        }
        /** What the code may call, as tools.<server>.<tool>(args); nothing unless listed. Example: {"tools": ["data.*"]} */
        permissions?: {
          tools?: string[]
        }
        /** Lower than the limits of this installation; higher values are cut to them */
        limits?: {
          /** Wall clock */
          timeout_ms?: number
          cpu_ms?: number
          /** Heap */
          memory_mb?: number
        }
        requires_approval?: boolean
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        tool: {
          id: string
          name: string
          version: string
          status: string
        }
      }
    }
    /** Runs one-off JavaScript or TypeScript in the sandbox and returns its result, logs and usage. To keep code as a versioned tool, use register_tool and invoke_tool. */
    run_code: {
      input: {
        /** Body of an async function: input and tools are in scope, what it returns is the result and must be JSON */
        code: string
        /** TypeScript: types are removed, not checked */
        language?: 'javascript' | 'typescript'
        /** Any JSON; the code sees it as input */
        input?: unknown
        /** What the code may call, as tools.<server>.<tool>(args); nothing unless listed. Example: {"tools": ["data.*"]} */
        permissions?: {
          tools?: string[]
        }
        /** Lower than the limits of this installation; higher values are cut to them */
        limits?: {
          /** Wall clock */
          timeout_ms?: number
          cpu_ms?: number
          /** Heap */
          memory_mb?: number
        }
        /** background returns at once; get_invocation tells how it ended */
        mode?: 'wait' | 'background'
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        result: unknown
        logs: {
          level: string
          message: string
        }[]
        usage: {
          wall_ms: number
          cpu_ms: number
          memory_bytes: number
        } | null
        invocation_id: string
        status: 'pending' | 'running' | 'pending_approval' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'denied' | 'unknown'
        replayed: boolean
      }
    }
  }
  'planning': {
    /** Ends a plan for good: leases are void, open tasks cancelled, declared compensations run. To stop it for a while, call pause_plan. */
    cancel_plan: {
      input: {
        /** Id of the plan, pln_... */
        plan_id: string
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        plan: {
          id: string
          status: string
        }
      }
    }
    /** Takes the next ready assistant task under a lease, or returns task null with a hint. End it with complete_task or fail_task; extend_task_lease gives more time. */
    claim_task: {
      input: {
        /** Id of the plan, pln_... */
        plan_id?: string
        /** What you can do; a task may ask for some */
        capabilities?: string[]
        /** How long the task stays yours, counted from now; the platform default when absent */
        lease_ms?: number
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        task: {
          id: string
          key: string
          status: string
        } | null
        lease_token: string | null
        lease_expires_at: string | null
        hint: string
      }
    }
    /** Records the output of a claimed task and frees the tasks that wait for it; the same again returns what was recorded. When the work could not be done, call fail_task. */
    complete_task: {
      input: {
        /** Id of the task, tsk_... */
        task_id: string
        /** lease_token from claim_task */
        lease_token: string
        /** Any JSON; later tasks bind to it */
        output: unknown
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        task: {
          id: string
          key: string
          status: string
        }
        plan_status?: string
      }
    }
    /** Creates a goal: what is to be reached and under which constraints. Next, call create_plan for the way to it. */
    create_goal: {
      input: {
        /** What is to be reached, in a line */
        title: string
        /** More about it */
        description?: string
        /** Limits to keep to; any JSON */
        constraints?: unknown
        /** plan: ends with its plan (default). manual: by update_goal */
        completes_with?: 'plan' | 'manual'
        /** Your own names and values */
        labels?: Record<string, unknown>
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        goal: {
          id: string
          status: string
        }
      }
    }
    /** Creates a checked plan for a goal from your own tasks or a template; nothing runs before run_plan. To only check one, call validate_plan. */
    create_plan: {
      input: {
        /** Id of the goal, gol_... */
        goal_id: string
        /** Also per task: name, instructions and capabilities (assistant), version, language, for_each (a list: one task per item), retry {max_attempts, backoff_ms, factor}, timeout_ms, continue_on_failure, compensate {tool or code, input}, permissions, limits */
        tasks?: {
          key: string
          kind: 'code' | 'tool' | 'assistant' | 'model' | 'agent' | 'approval'
          depends_on?: string[]
          /** Values, or {{tasks.<key>.output.<path>}}, {{plan.input.<path>}}, {{item}} */
          input?: unknown
          code?: string
          /** Registered tool, or server.tool */
          tool?: string
          /** tasks.a.output.n > 3 and plan.input.full */
          when?: string
        }[]
        /** Any JSON; {{plan.input...}} in tasks */
        input?: unknown
        name?: string
        /** Most tasks at one time */
        max_parallel?: number
        /** auto: steps when tasks are given, else template, else model */
        strategy?: 'auto' | 'steps' | 'template' | 'model'
        /** Any unknown name answers with the list */
        template?: string
        /** Of the template */
        parameters?: Record<string, unknown>
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        plan: {
          id: string
          status: string
        }
        tasks: {
          id: string
          key: string
          status: string
        }[]
      }
    }
    /** Keeps a claimed task yours for longer. When you are done, call complete_task or fail_task instead. */
    extend_task_lease: {
      input: {
        /** Id of the task, tsk_... */
        task_id: string
        /** lease_token from claim_task */
        lease_token: string
        /** How long the task stays yours, counted from now; the platform default when absent */
        lease_ms?: number
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        lease_expires_at: string
      }
    }
    /** Records that a claimed task could not be done; its retry policy decides whether it is tried again. When it was done, call complete_task. */
    fail_task: {
      input: {
        /** Id of the task, tsk_... */
        task_id: string
        /** lease_token from claim_task */
        lease_token: string
        /** What went wrong: a text, or any JSON with a message */
        error: unknown
        /** False when another try can not help */
        retryable?: boolean
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        task: {
          id: string
          key: string
          status: string
        }
        plan_status?: string
      }
    }
    /** Returns one goal with its plans, the latest first. To find an id, call list_goals. */
    get_goal: {
      input: {
        /** Id of the goal, gol_... */
        goal_id: string
      }
      output: {
        goal: {
          id: string
          status: string
        }
        plans: {
          id: string
          status: string
        }[]
      }
    }
    /** Returns a plan with waves, critical path, estimates, progress and a page of its tasks; large outputs are cut unless keys names the task. For its run with timeline, call get_run on runtime. */
    get_plan: {
      input: {
        /** Id of the plan, pln_... */
        plan_id: string
        /** Only these tasks, whole, with input and spec */
        keys?: string[]
        /** Only tasks in these states */
        status?: ('pending' | 'ready' | 'blocked' | 'running' | 'waiting' | 'completed' | 'failed' | 'skipped' | 'cancelled')[]
        /** wait: answer when the plan has ended or needs an assistant */
        mode?: 'wait' | 'background'
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
      output: {
        plan: {
          id: string
          status: string
        }
        tasks: {
          id: string
          key: string
          status: string
        }[]
        next_cursor: string | null
        waiting: string
      }
    }
    /** Lists goals, the latest first, by status or by words in title and description. For one with its plans, call get_goal. */
    list_goals: {
      input: {
        status?: 'pending' | 'active' | 'completed' | 'failed' | 'cancelled'
        /** Words to look for */
        query?: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
      output: {
        items: {
          id: string
          status: string
        }[]
        next_cursor: string | null
      }
    }
    /** Lists plans, the latest first, by goal or status. For tasks and progress of one, call get_plan. */
    list_plans: {
      input: {
        /** Id of the goal, gol_... */
        goal_id?: string
        status?: 'draft' | 'validated' | 'executing' | 'paused' | 'completed' | 'failed' | 'cancelled'
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
      output: {
        items: {
          id: string
          status: string
        }[]
        next_cursor: string | null
      }
    }
    /** Stops a plan from starting more tasks; those that run may finish. run_plan resumes it. To give the plan up, call cancel_plan. */
    pause_plan: {
      input: {
        /** Id of the plan, pln_... */
        plan_id: string
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        plan: {
          id: string
          status: string
        }
      }
    }
    /** Replaces a plan by a new version with these tasks; completed tasks that did not change keep their output. For a plan that only needs a pause, call pause_plan. */
    revise_plan: {
      input: {
        /** Id of the plan, pln_... */
        plan_id: string
        /** Tasks as in create_plan */
        tasks: Record<string, unknown>[]
        /** Any JSON; {{plan.input...}} in tasks */
        input?: unknown
        /** Most tasks at one time */
        max_parallel?: number
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        plan: {
          id: string
          status: string
        }
        tasks: {
          id: string
          key: string
          status: string
        }[]
        carried_over: string[]
      }
    }
    /** Starts or resumes a plan and waits until it ends or needs an assistant; giving up the wait does not stop the plan. To stop it, call pause_plan or cancel_plan. */
    run_plan: {
      input: {
        /** Id of the plan, pln_... */
        plan_id: string
        mode?: 'wait' | 'background'
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        plan: {
          id: string
          status: string
        }
        tasks: {
          id: string
          key: string
          status: string
        }[]
        run_id: string | null
        waiting: string
        hint: string
      }
    }
    /** Changes a goal, or ends it by status completed, failed or cancelled. A goal with an open plan can not be ended: call cancel_plan first. */
    update_goal: {
      input: {
        /** Id of the goal, gol_... */
        goal_id: string
        /** What is to be reached, in a line */
        title?: string
        /** More about it */
        description?: string
        /** Limits to keep to; any JSON */
        constraints?: unknown
        /** plan: ends with its plan (default). manual: by update_goal */
        completes_with?: 'plan' | 'manual'
        /** Your own names and values */
        labels?: Record<string, unknown>
        status?: 'active' | 'completed' | 'failed' | 'cancelled'
        /** What was reached; any JSON */
        result?: unknown
        /** Refuse when the goal has another version */
        expected_version?: number
        /** Why; kept in the history */
        reason?: string
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: {
        goal: {
          id: string
          status: string
        }
      }
    }
    /** Checks a stored plan or a definition and returns its faults, waves and critical path; it changes nothing. To keep a plan, call create_plan. */
    validate_plan: {
      input: {
        /** Id of the plan, pln_... */
        plan_id?: string
        /** Tasks as in create_plan */
        tasks?: Record<string, unknown>[]
        /** Any JSON; {{plan.input...}} in tasks */
        input?: unknown
        /** Most tasks at one time */
        max_parallel?: number
        template?: string
        parameters?: Record<string, unknown>
      }
      output: {
        valid: boolean
        faults: {
          path: string
          message: string
        }[]
        waves: string[][]
      }
    }
  }
  'service-hub': {
    /** Calls a tool of any server and returns its own result or error unchanged. To see its arguments first, call get_tool_definition. */
    call_tool: {
      input: {
        /** Server as search_tools names it, such as planning; registered for registered tools. */
        server: string
        /** Tool as search_tools names it. */
        tool: string
        /** Arguments of that tool. */
        arguments?: Record<string, unknown>
        /** Same key and arguments again: the first result comes back and nothing happens twice. */
        idempotency_key?: string
      }
      output: Record<string, unknown>
    }
    /** Returns the arguments and result of one tool as JSON Schema or TypeScript. To find a tool first, call search_tools. */
    get_tool_definition: {
      input: {
        /** Server as search_tools names it, such as planning; registered for registered tools. */
        server: string
        /** Tool as search_tools names it. */
        tool: string
        /** typescript is shorter. */
        format?: 'json_schema' | 'typescript'
      }
      output: {
        definition: {
          server: string
          tool: string
          description: string
        }
      }
    }
    /** Returns every server of the platform with its health, version and number of tools. To find a tool, call search_tools. */
    list_layers: {
      input: Record<string, never>
      output: {
        items: {
          server: string
          layer: string
          state: 'ready' | 'not_ready' | 'unreachable'
          version?: string
          tools: number
          summary: string
        }[]
      }
    }
    /** Returns the tools of all servers that fit a query in plain words, best first. For the arguments of one of them, call get_tool_definition. */
    search_tools: {
      input: {
        /** What you want to do, such as: claim the next task. */
        query: string
        /** Server as search_tools names it, such as planning; registered for registered tools. */
        server?: string
        /** At most this many. */
        limit?: number
      }
      output: {
        items: {
          server: string
          tool: string
          description: string
        }[]
      }
    }
  }
}
