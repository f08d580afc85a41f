// Made by "npm run gen" from the tools of every server; do not edit.

/** Input and output of every tool by server, as `ctx.call` types them. */
export interface ToolTypes {
  'data': {
    /** Appends an event to a stream of your own. For a change of a record, call update_record. */
    append_event: {
      input: {
        /** Such as build/42 */
        stream: string
        /** Such as build.finished */
        type: string
        /** Any JSON */
        data: unknown
        /** Else refused */
        expected_version?: number
        /** If not now */
        time?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        event: {
          position: string
          version: number
        }
      }
    }
    /** Creates a goal, agent, session, evaluation or feedback. Other kinds have tools of their own, such as create_plan. */
    create_record: {
      input: {
        /** Such as goal */
        kind: string
        /** Its fields */
        data: Record<string, unknown>
        /** Why */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        record: Record<string, unknown>
      }
    }
    /** Deletes a record, not its history. To bring it back, call restore_record. */
    delete_record: {
      input: {
        /** Such as goal */
        kind: string
        /** Id */
        id: string
        /** Else refused */
        expected_version?: number
        /** Why */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        record: Record<string, unknown>
      }
    }
    /** Returns one configuration. To find keys, call list_configurations. */
    get_configuration: {
      input: {
        /** Such as a.b */
        key: string
      }
      output: {
        configuration: Record<string, unknown>
      }
    }
    /** Returns figures of the database: migrations, pool, slow queries, missing indexes, tables. */
    get_data_health: {
      input: Record<string, never>
      output: {
        ok: boolean
        database: Record<string, unknown>
        migrations: Record<string, unknown>
        tables: Record<string, unknown>[]
      }
    }
    /** Returns one record, now or as of a time or event position. For what changed, call get_record_history. */
    get_record: {
      input: {
        /** Such as goal */
        kind: string
        /** Id */
        id: string
        /** ISO 8601 time or event position */
        as_of?: string
        /** Deleted too */
        include_deleted?: boolean
      }
      output: {
        record: Record<string, unknown>
      }
    }
    /** Lists the changes of a record, oldest first: who, when, why, what. For a state, call get_record. */
    get_record_history: {
      input: {
        /** Such as goal */
        kind: string
        /** Id */
        id: string
        /** Page size */
        limit?: number
        /** next_cursor */
        cursor?: string
      }
      output: {
        items: Record<string, unknown>[]
        next_cursor: string | null
      }
    }
    /** Lists configurations by key. For long values and schemas, call get_configuration. */
    list_configurations: {
      input: {
        /** Start of the key */
        prefix?: string
        /** Words */
        query?: string
        /** Page size */
        limit?: number
        /** next_cursor */
        cursor?: string
      }
      output: {
        items: Record<string, unknown>[]
        next_cursor: string | null
      }
    }
    /** Lists events in log order. To follow the log, send the last position as after_position. */
    list_events: {
      input: {
        /** Such as build/42 */
        stream?: string
        /** Such as goal.* */
        type?: string
        /** Of one call */
        correlation_id?: string
        /** Only later events */
        after_position?: string
        /** Page size */
        limit?: number
        /** next_cursor */
        cursor?: string
      }
      output: {
        items: Record<string, unknown>[]
        next_cursor: string | null
      }
    }
    /** Lists records of a kind, compact. For one whole record, call get_record. */
    list_records: {
      input: {
        /** Such as goal */
        kind: string
        /** {field: value, list, null or {eq ne in gt gte lt lte contains is_null: value}} */
        filter?: Record<string, unknown>
        /** Words, "exact words", -without */
        query?: string
        /** field or -field */
        sort?: string
        /** Page size */
        limit?: number
        /** next_cursor */
        cursor?: string
        /** Deleted too */
        include_deleted?: boolean
      }
      output: {
        items: Record<string, unknown>[]
        next_cursor: string | null
      }
    }
    /** Computes a projection again from the log: activity (events per day and type). */
    rebuild_projection: {
      input: {
        /** Name */
        projection: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        events: number
        position: string
      }
    }
    /** Brings a deleted record back. To find one, call list_records. */
    restore_record: {
      input: {
        /** Such as goal */
        kind: string
        /** Id */
        id: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        record: Record<string, unknown>
      }
    }
    /** Sets a configuration, checked against its schema, without a restart. For the present one, call get_configuration. */
    set_configuration: {
      input: {
        /** Such as a.b */
        key: string
        /** Any JSON */
        value: unknown
        /** JSON Schema of value */
        schema?: Record<string, unknown>
        /** What it is for */
        description?: string
        /** Else refused */
        expected_version?: number
        /** Why */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        configuration: {
          key: string
        }
      }
    }
    /** Changes fields of a record. States of plans, tasks, runs and invocations change by their own tools. */
    update_record: {
      input: {
        /** Such as goal */
        kind: string
        /** Id */
        id: string
        /** Fields and their new values */
        changes: Record<string, unknown>
        /** Else refused */
        expected_version?: number
        /** Why */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        record: Record<string, unknown>
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
        /** Makes a repeat safe */
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
    /** Cancels an invocation that has not ended. What it has done outside stays done: an outside effect under way is asked to stop and records how it ended. */
    cancel_invocation: {
      input: {
        /** Id of the invocation, inv_... */
        invocation_id: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        invocation: {
          id: string
          status: string
        }
      }
    }
    /** Parses code without running it and returns where it is wrong. To run it, use run_code. */
    check_code: {
      input: {
        /** As run_code takes them */
        codes: {
          code: string
          language?: 'javascript' | 'typescript'
        }[]
      }
      output: {
        faults: {
          index: number
          message: string
          line: number
          column: number
        }[]
      }
    }
    /** Undoes what a registered tool has done, by the tool's own compensate code, once however often it is called. To stop one that still runs, use cancel_invocation. */
    compensate_invocation: {
      input: {
        /** Id of the invocation, inv_... */
        invocation_id: string
        /** background returns at once; get_invocation has the outcome */
        mode?: 'wait' | 'background'
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        invocation: {
          id: string
          status: string
        }
      }
    }
    /** Makes the tools of another MCP server registered tools named <name>_<tool>, pinned to their definitions; what is new or changed since is reported and held until approve_changes. Call them with invoke_tool. */
    connect_mcp_server: {
      input: {
        /** Of the upstream */
        name: string
        /** Needed once, and to change it: command, args, env for stdio, url, headers for http; values are kept as secrets or are {"secret": name} */
        transport?: {
          type: 'stdio' | 'http'
          command?: string
          args?: string[]
          /** All it gets beside PATH */
          env?: Record<string, unknown>
          url?: string
          headers?: Record<string, unknown>
        }
        /** Only these of its tools */
        tools?: string[]
        /** false: its tools answer no more, its process ends */
        enabled?: boolean
        /** Accept the definitions as they are now */
        approve_changes?: boolean
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        upstream: {
          name: string
          status: string
        }
        tools: Record<string, unknown>[]
      }
    }
    /** Forgets a credential for good. To replace its value, use set_secret. */
    delete_secret: {
      input: {
        /** Of the secret */
        name: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        deleted: string
      }
    }
    /** Marks versions of a registered tool as deprecated: they answer with a warning, and from sunset_at on not at all. restore: true takes it back. */
    deprecate_tool: {
      input: {
        /** Such as word_count */
        tool: string
        /** Version or range; all versions when left out */
        version?: string
        /** From then on calls are refused */
        sunset_at?: string
        /** What callers should use, such as csv_parse ^2 */
        replacement?: string
        /** Kept in the history */
        reason?: string
        /** Makes deprecated versions active again */
        restore?: boolean
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        items: {
          id: string
          version: string
        }[]
      }
    }
    /** Returns one invocation: its status, output or error, logs and usage. To find an id, call list_invocations. */
    get_invocation: {
      input: {
        /** Id of the invocation, inv_... */
        invocation_id: string
      }
      output: {
        invocation: {
          id: string
          status: string
        }
      }
    }
    /** Returns one version of a registered tool with its schemas, source and permissions, and which versions there are. To find a name, use search_registered_tools. */
    get_registered_tool: {
      input: {
        /** Such as word_count */
        tool: string
        /** Version or range, such as 1.2.0 or ^1.0.0 */
        version?: string
      }
      output: {
        tool: {
          id: string
          version: string
        }
        versions: Record<string, unknown>[]
        deprecation?: string
      }
    }
    /** Makes the operations of an OpenAPI 3.0 or 3.1 document registered tools named <name>_<operation>; dry_run only shows them. Call them with invoke_tool. For MCP servers, use connect_mcp_server. */
    import_openapi: {
      input: {
        /** Of the API */
        name: string
        /** The document as JSON */
        document?: Record<string, unknown>
        /** Where the document is, as JSON, when it is not given */
        url?: string
        /** Default: the first of the document, which has to be public */
        server_url?: string
        /** Only these operationIds */
        operations?: string[]
        /** Key or token by name of the security scheme; user:password for basic. Kept as secrets, like headers */
        auth?: Record<string, string>
        /** Sent with each request, such as Authorization */
        headers?: Record<string, string>
        /** Registers nothing */
        dry_run?: boolean
        /** Accept what is new or changed since the last import */
        approve_changes?: boolean
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        server_url: string
        tools: Record<string, unknown>[]
      }
    }
    /** Calls a registered tool exactly once and returns the invocation with its output, or its error when the tool failed. For code that is not registered, use run_code. */
    invoke_tool: {
      input: {
        /** Such as word_count */
        tool: string
        /** Version or range, such as ^1.0.0; the highest that fits is used */
        version?: string
        /** Must fit the tool's input_schema */
        arguments?: Record<string, unknown>
        /** Longest run, from its start; cuts the tool's own limit */
        timeout_ms?: number
        /** background returns at once; get_invocation has the outcome */
        mode?: 'wait' | 'background'
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        invocation: {
          id: string
          status: string
        }
        approval?: Record<string, unknown>
        deprecation?: string
      }
    }
    /** Lists invocations, the latest first, without arguments, output and logs. For all of one, call get_invocation. */
    list_invocations: {
      input: {
        status?: 'pending' | 'running' | 'pending_approval' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'denied' | 'unknown'
        /** server_tool and capability: calls made by code */
        kind?: 'tool' | 'code' | 'script' | 'server_tool' | 'capability' | 'compensation' | 'approval'
        /** Name of the tool, or server.tool */
        tool?: string
        /** Id of the invocation, inv_... */
        parent_invocation_id?: string
        /** Calls of this run */
        run_id?: string
        /** Calls of this task */
        task_id?: string
        /** Only failed or unknown background calls that nobody retried or discarded */
        dead_letters?: boolean
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
    /** Lists versions of registered tools, the latest first, without schemas and source. To look for a purpose, use search_registered_tools. */
    list_registered_tools: {
      input: {
        /** Only versions of this one */
        tool?: string
        status?: 'active' | 'deprecated' | 'disabled'
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
      output: {
        items: {
          id: string
          version: string
        }[]
        next_cursor: string | null
      }
    }
    /** Lists the names of the kept credentials and the hosts they may be sent to. To add one, use set_secret. */
    list_secrets: {
      input: Record<string, never>
      output: {
        items: {
          name: string
          hosts: string[]
        }[]
      }
    }
    /** Registers one version of a tool, which never changes afterwards. To run code once without keeping it, use run_code. */
    register_tool: {
      input: {
        /** Such as word_count */
        name: string
        /** Such as 1.0.0 */
        version: string
        /** What it does, when to use it */
        description: string
        /** JSON Schema of the arguments */
        input_schema: Record<string, unknown>
        /** JSON Schema of the result */
        output_schema?: Record<string, unknown>
        /** code, language as run_code, or tool: one of an upstream; verify, compensate: code */
        source: {
          type: 'javascript' | 'mcp' | 'http'
        }
        /** What code may use: {"tools": ["data.*"], "http": ["api.example.com"], "secrets": ["name"], "storage": true} */
        permissions?: Record<string, unknown>
        /** Cut to ours */
        limits?: {
          timeout_ms?: number
          memory_mb?: number
        }
        /** Calls at a time: {"limit": 1}, per value of an argument with "key": "/name" */
        concurrency?: Record<string, unknown>
        /** By a person */
        requires_approval?: boolean
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        tool: {
          id: string
          version: string
        }
      }
    }
    /** Runs a call of a tool or of code again that failed, with the same arguments, in the background and as a new invocation; while one runs or after one succeeded, that one is returned. discard closes a dead letter instead. list_invocations with dead_letters shows those. */
    retry_invocation: {
      input: {
        /** Id of the invocation, inv_... */
        invocation_id: string
        /** Does not run it; it is no dead letter any more */
        discard?: boolean
        /** Why, for its history */
        note?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        invocation: {
          id: string
          status: string
        }
        approval?: Record<string, unknown>
      }
    }
    /** Runs one-off JavaScript or TypeScript in the sandbox and returns its result, logs and usage. To keep code as a versioned tool, use register_tool. */
    run_code: {
      input: {
        /** Body of an async function with input and tools in scope; returns JSON */
        code: string
        /** Types are removed, not checked */
        language?: 'javascript' | 'typescript'
        /** Any JSON */
        input?: unknown
        /** What code may use: {"tools": ["data.*"], "http": ["api.example.com"], "secrets": ["name"], "storage": true} */
        permissions?: Record<string, unknown>
        /** Cut to ours */
        limits?: {
          timeout_ms?: number
          memory_mb?: number
        }
        /** Date and random stay over repeats */
        repeatable?: boolean
        /** background returns at once; get_invocation has the outcome */
        mode?: 'wait' | 'background'
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        logs: Record<string, unknown>[]
        usage: {
          wall_ms: number
          cpu_ms: number
          memory_bytes: number
        } | null
        invocation_id: string
        status: string
        replayed: boolean
        approval?: Record<string, unknown>
      }
    }
    /** Finds registered tools by what they are for: by words and by likeness of the text, best first. For the schemas of one, call get_registered_tool. */
    search_registered_tools: {
      input: {
        /** What it should do, such as: turn CSV into JSON */
        query: string
        /** Also versions that should not be used any more */
        include_deprecated?: boolean
        /** At most this many */
        limit?: number
      }
      output: {
        items: {
          tool: string
          version: string
          description: string
        }[]
        embedding_model: string
      }
    }
    /** Keeps a credential sealed, in the place of an older value. It is never shown again: code sends it in a header of http.fetch. list_secrets has the names. */
    set_secret: {
      input: {
        /** By which it is used */
        name: string
        /** Such as a token */
        value: string
        /** Where code may send it */
        hosts?: string[]
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        secret: {
          name: string
          hosts: string[]
        }
      }
    }
    /** Records what somebody found out about an invocation whose outcome is unknown: done, or not done. Whoever repeats its call gets that. list_invocations with status unknown shows them. */
    settle_invocation: {
      input: {
        /** Id of the invocation, inv_... */
        invocation_id: string
        /** Whether it had its effect */
        outcome: 'done' | 'not_done'
        /** What it would have answered; of done */
        output?: unknown
        /** How it was found out */
        note?: string
        /** Of the invocation */
        expected_version?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        invocation: {
          id: string
          status: string
        }
      }
    }
  }
  'planning': {
    /** Ends a plan for good and undoes what declares how. To stop it for a while, call pause_plan. */
    cancel_plan: {
      input: {
        /** plan id */
        plan_id: string
        /** Why */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        plan?: Record<string, unknown>
      }
    }
    /** Takes the next ready assistant task, or null and why. To end it, call complete_task or fail_task. */
    claim_task: {
      input: {
        /** plan id */
        plan_id?: string
        /** Yours */
        capabilities?: string[]
        /** From now */
        lease_ms?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: Record<string, unknown>
    }
    /** Records the output of a claimed task. If it failed, call fail_task. */
    complete_task: {
      input: {
        /** task id */
        task_id: string
        /** From claim_task */
        lease_token: string
        /** Any JSON */
        output: unknown
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        task?: Record<string, unknown>
      }
    }
    /** Creates a goal. For the way to it, call create_plan. */
    create_goal: {
      input: {
        /** A line */
        title: string
        /** More */
        description?: string
        /** Any JSON */
        constraints?: unknown
        completes_with?: 'plan' | 'manual'
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        goal?: Record<string, unknown>
      }
    }
    /** Creates a checked plan from tasks or a template. To start it, call run_plan. */
    create_plan: {
      input: {
        /** goal id */
        goal_id: string
        /** key; kind code|tool|assistant|approval; depends_on [keys]; input with {{tasks.<key>.output.<path>}}, {{plan.input}}, {{item}}; code; tool or server.tool, version; instructions; prompt; capabilities; when (tasks.a.output.n>3); for_each; retry {max_attempts}; timeout_ms; continue_on_failure; compensate {tool, input}|tool; permissions; limits */
        tasks?: Record<string, unknown>[]
        /** {{plan.input}} */
        input?: unknown
        /** Name */
        name?: string
        /** Tasks */
        max_parallel?: number
        strategy?: 'auto' | 'steps' | 'template' | 'model'
        /** ? lists them */
        template?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        plan?: Record<string, unknown>
      }
    }
    /** Keeps a claimed task yours longer. To end it, call complete_task. */
    extend_task_lease: {
      input: {
        /** task id */
        task_id: string
        /** From claim_task */
        lease_token: string
        /** From now */
        lease_ms?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: Record<string, unknown>
    }
    /** Records why a claimed task failed; it may be retried. If it was done, call complete_task. */
    fail_task: {
      input: {
        /** task id */
        task_id: string
        /** From claim_task */
        lease_token: string
        /** Any JSON */
        error: unknown
        /** May be retried */
        retryable?: boolean
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        task?: Record<string, unknown>
      }
    }
    /** Returns a goal with its plans. To find one, call list_goals. */
    get_goal: {
      input: {
        /** goal id */
        goal_id: string
      }
      output: {
        goal?: Record<string, unknown>
      }
    }
    /** Returns progress and tasks of a plan. For its timeline, call get_run. */
    get_plan: {
      input: {
        /** plan id */
        plan_id: string
        /** Only these, whole */
        keys?: string[]
        /** State */
        status?: string
        mode?: 'wait' | 'background'
        /** next_cursor */
        cursor?: string
      }
      output: {
        plan?: Record<string, unknown>
      }
    }
    /** Lists goals, latest first. For one with its plans, call get_goal. */
    list_goals: {
      input: {
        /** State */
        status?: string
        /** Words */
        query?: string
        /** Page size */
        limit?: number
        /** next_cursor */
        cursor?: string
      }
      output: {
        items?: unknown[]
      }
    }
    /** Lists plans, latest first. For the tasks of one, call get_plan. */
    list_plans: {
      input: {
        /** goal id */
        goal_id?: string
        /** State */
        status?: string
        /** Page size */
        limit?: number
        /** next_cursor */
        cursor?: string
      }
      output: {
        items?: unknown[]
      }
    }
    /** Lets a plan start no more tasks; run_plan resumes it. To give it up, call cancel_plan. */
    pause_plan: {
      input: {
        /** plan id */
        plan_id: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        plan?: Record<string, unknown>
      }
    }
    /** Makes a new plan version; finished unchanged tasks stay done. To only stop, call pause_plan. */
    revise_plan: {
      input: {
        /** plan id */
        plan_id: string
        /** As in create_plan */
        tasks: Record<string, unknown>[]
        /** {{plan.input}} */
        input?: unknown
        /** Why */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        plan?: Record<string, unknown>
      }
    }
    /** Starts or resumes a plan and waits until it ends or needs you. To stop it, call pause_plan. */
    run_plan: {
      input: {
        /** plan id */
        plan_id: string
        mode?: 'wait' | 'background'
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        plan?: Record<string, unknown>
      }
    }
    /** Changes or ends a goal. To end its plan first, call cancel_plan. */
    update_goal: {
      input: {
        /** goal id */
        goal_id: string
        /** A line */
        title?: string
        /** More */
        description?: string
        status?: 'active' | 'completed' | 'failed' | 'cancelled'
        /** Any JSON */
        result?: unknown
        /** As read */
        expected_version?: number
        /** Why */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        goal?: Record<string, unknown>
      }
    }
    /** Returns faults and waves of a plan or of tasks. To keep a plan, call create_plan. */
    validate_plan: {
      input: {
        /** plan id */
        plan_id?: string
        /** As in create_plan */
        tasks?: Record<string, unknown>[]
        /** {{plan.input}} */
        input?: unknown
      }
      output: {
        valid?: boolean
      }
    }
  }
  'supervision': {
    /** Approves or denies a waiting call, once and for good. With arguments it approves these instead of what was asked for. An approved call then runs by itself; get_invocation has its result. */
    decide_approval: {
      input: {
        /** Id of the approval, apr_... */
        approval_id: string
        /** deny ends the call without running it */
        decision: 'approve' | 'deny'
        /** Approved instead; must fit the tool's input_schema */
        arguments?: Record<string, unknown>
        /** Why; whoever asked reads it */
        note?: string
        /** Version of the approval that was read */
        expected_version?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        approval: {
          id: string
          status: string
          invocation_id: string
        }
        invocation: {
          id: string
          status: string
        }
      }
    }
    /** Lists calls that a person must allow, the longest waiting first, with their exact arguments. To decide, call decide_approval. */
    list_approvals: {
      input: {
        /** How it stands */
        status?: 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled'
        /** Only calls of this tool */
        tool?: string
        /** Only this call */
        invocation_id?: string
        /** Most items of one page */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
      output: {
        items: {
          id: string
          status: string
          invocation_id: string
        }[]
        next_cursor: string | null
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
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: Record<string, unknown>
    }
    /** Returns the arguments and result of one tool as JSON Schema or TypeScript, or all of a server as TypeScript. To find a tool first, call search_tools. */
    get_tool_definition: {
      input: {
        /** Server as search_tools names it, such as planning; registered for registered tools. */
        server: string
        /** Tool as search_tools names it; without it all of the server, as TypeScript. */
        tool?: string
        /** typescript is shorter. */
        format?: 'json_schema' | 'typescript'
      }
      output: {
        definition: {
          server: string
        }
      }
    }
    /** Returns the parameters of one workflow as JSON Schema. To start it, call run_workflow. */
    get_workflow: {
      input: {
        /** Such as testing.unit. */
        name: string
      }
      output: {
        workflow: {
          name: string
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
    /** Returns the ready-made workflows. For the parameters of one, call get_workflow. */
    list_workflows: {
      input: Record<string, never>
      output: {
        items: {
          name: string
        }[]
      }
    }
    /** Runs TypeScript that calls any tool as tools.<server>.<tool>(args) and returns its result: many calls for the price of one. Killed in the middle, it goes on where it was. For a single call, use call_tool. */
    run_script: {
      input: {
        /** Body of an async function with input and tools; what it returns must be JSON. A - in a server name is written _. */
        code: string
        /** Types are removed, not checked. */
        language?: 'typescript' | 'javascript'
        /** Any JSON. */
        input?: unknown
        /** Cut to those of this installation. */
        limits?: {
          timeout_ms?: number
          memory_mb?: number
        }
        /** background: get_invocation has the outcome. */
        mode?: 'wait' | 'background'
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        calls: Record<string, unknown>[]
        invocation_id: string
      }
    }
    /** Starts a ready-made workflow and waits until it ends or needs you. The names are told by list_workflows. */
    run_workflow: {
      input: {
        /** Such as testing.unit. */
        name: string
        /** As get_workflow shows them. */
        parameters?: Record<string, unknown>
        /** background: get_plan has the outcome. */
        mode?: 'wait' | 'background'
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        goal_id: string
        plan_id: string
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
  'context-orchestrator': {
    /** Says that a session works on a task or on files for a while, all of them or none; held says who does already. Advisory for files; a session saves no task that another holds. To end it, call release_lease. */
    acquire_lease: {
      input: {
        /** ses_... of start_session */
        session_id: string
        /** tcx_... */
        task_id?: string
        /** Files, as in key_files */
        paths?: string[]
        /** For so long; the same again extends it */
        ttl_ms?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        granted: boolean
        leases: {
          thing: string
          session_id: string
          fence: string
          expires_at: string
        }[]
        held: {
          thing: string
          session_id: string
          fence: string
          expires_at: string
        }[]
      }
    }
    /** Gives back what was saved last in a project, with a prompt to go on that says first what has changed in the project since: of sessions that crashed or were compacted, and of the current task, or the one that your own session before worked on. With session_id the latest lost session is taken over, by one session only, unless you have one before of your own. */
    check_recovery: {
      input: {
        /** Its name; default: that of the client's folder */
        project?: string
        /** ses_... of start_session */
        session_id?: string
        /** What the client calls it */
        client_session_id?: string
        /** Budget, 4 bytes a token */
        max_tokens?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        needs_recovery: boolean
        sessions: {
          session_id: string | null
          resume_prompt: string
        }[]
        task: Record<string, unknown> | null
        omitted: Record<string, unknown>[]
        taken: Record<string, unknown> | null
      }
    }
    /** Judges what is saved of a task by stated rules: a score, and each finding with why it matters and what to do. With role, by the gate of that role. To hand over, call track_handoff. */
    checkpoint_quality: {
      input: {
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** Default: the newest */
        version?: number
        /** Such as reviewer */
        role?: string
      }
      output: {
        task_id: string
        version: number
        /** 0 to 100; findings cost 25, 10 or 5 */
        score: number
        passes: boolean
        findings: {
          rule: string
          part: string
          severity: string
        }[]
        unmet: string[]
      }
    }
    /** Marks a version of a task with a label, for good. To go back to it, call rollback_to. */
    create_checkpoint: {
      input: {
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** Such as: before the rewrite */
        label: string
        /** More */
        note?: string
        /** Default: the newest */
        version?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        checkpoint: {
          checkpoint_id: string
          version: number
        }
      }
    }
    /** Creates a project with a name of your choice for the folder of the client. Not needed before save_context_snapshot, which names it after the folder. */
    create_project: {
      input: {
        /** Its name; default: that of the client's folder */
        name: string
        /** Folder in the client's project; default: all of it */
        root?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        project: {
          id: string
        }
      }
    }
    /** Adds a task to a project and makes it the current one. To save to a task, call save_context_snapshot. */
    create_task_context: {
      input: {
        /** A line */
        title: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** First parts, as in save_context_snapshot */
        updates?: Record<string, unknown>
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        task_id: string
        version: number
      }
    }
    /** Finds what contradicts itself between the tasks of a project: files, locked elements, states, saves on old versions. Each is stored once. To settle one, call resolve_conflict. */
    detect_conflicts: {
      input: {
        /** Its name; default: that of the client's folder */
        project?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        conflicts: {
          conflict_id: string
          kind: string
          explanation: string
        }[]
        /** Open before, not found any more: resolved */
        gone: number
        detectors: {
          name: string
          ran: boolean
        }[]
      }
    }
    /** Ends a session, with what is to be saved last. As compacted it says that its memory is cut and somebody has to go on: check_recovery finds it. To only save, use save_context_snapshot. */
    end_session: {
      input: {
        /** ses_... of start_session */
        session_id: string
        status?: 'ended' | 'compacted'
        /** Parts that changed, null empties one. Texts: goal, next_action, notes. Lists of texts: constraints, done_steps, pending_steps, blockers, open_approvals. Lists of objects: decisions {decision, reason?, evidence?: [text]}, key_files {path, sha256?, commit?}, tests {name, result}, locked_elements {element, reason?} */
        updates?: Record<string, unknown>
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        session: {
          session_id: string
          status: string
        }
        version: number | null
      }
    }
    /** Returns what a role must and must not do, and the parts of a task that it needs, within max_tokens together; omitted says what was cut. Without role, the roles there are; faulty names files that are none. To take a role, call switch_role. */
    get_role_context: {
      input: {
        /** Such as reviewer */
        role?: string
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** Budget, 4 bytes a token */
        max_tokens?: number
      }
      output: {
        role: {
          name: string
        } | null
        task: {
          task_id: string
        } | null
        omitted: Record<string, unknown>[]
        not_given: string[]
        roles: {
          name: string
        }[]
        faulty: {
          file: string
        }[]
      }
    }
    /** Shows how the tasks of a project are linked: which are ready, what blocks the others, the longest chain of open ones; with format mermaid as a picture too. To link tasks, call link_tasks. */
    get_task_graph: {
      input: {
        /** tcx_...: only what is around it; default: all */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** Links away from task_id */
        depth?: number
        /** At most so many nodes */
        limit?: number
        format?: 'json' | 'mermaid'
      }
      output: {
        nodes: {
          id: string
          ready: boolean
        }[]
        edges: Record<string, unknown>[]
        critical_path: string[]
        omitted: number
        mermaid?: string
      }
    }
    /** Returns the saved context of a task with its links, conflicts and marks within max_tokens, the most valuable parts first; omitted says what was cut, drift what has changed in the project since. Of list parts the newest entries stay. To save, call save_context_snapshot. */
    get_unified_context: {
      input: {
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** Budget, 4 bytes a token */
        max_tokens?: number
        /** An older version; default: the newest */
        version?: number
      }
      output: {
        project: Record<string, unknown>
        drift: {
          checked: boolean
        }
        task: {
          task_id: string
          version: number
          checkpoint: Record<string, unknown>
        }
        relationships: Record<string, unknown>[]
        conflicts: Record<string, unknown>[]
        checkpoints: Record<string, unknown>[]
        omitted: Record<string, unknown>[]
      }
    }
    /** Says that a session still works; one that is silent for five minutes counts as crashed. A save with session_id says so too. */
    heartbeat_session: {
      input: {
        /** ses_... of start_session */
        session_id: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        session_id: string
        last_heartbeat_at: string
      }
    }
    /** Links a task with another of its project, or with a task or goal of planning, whose state then counts; with remove, unlinks them. Circles are refused. To see the links, call get_task_graph. */
    link_tasks: {
      input: {
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** parent: target_id is the parent */
        relation: 'blocks' | 'depends_on' | 'related_to' | 'parent'
        /** tcx_..., or tsk_..., gol_... of planning */
        target_id: string
        /** Unlinks */
        remove?: boolean
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        link: {
          task_id: string
          relation: string
          target_id: string
        }
        /** False: it was so before */
        changed: boolean
      }
    }
    /** Lists tasks of a project, the latest saved first. To go on with one, call switch_task. */
    list_task_contexts: {
      input: {
        /** Its name; default: that of the client's folder */
        project?: string
        status?: 'active' | 'completed' | 'archived'
        /** Words of the title */
        query?: string
        /** Page size */
        limit?: number
        /** next_cursor */
        cursor?: string
      }
      output: {
        project: string | null
        items: {
          task_id: string
        }[]
        next_cursor: string | null
      }
    }
    /** Ends leases of a session: the named ones, or all. They also end with their time and with the session. To take one, call acquire_lease. */
    release_lease: {
      input: {
        /** ses_... of start_session */
        session_id: string
        /** tcx_... */
        task_id?: string
        /** Files, as in key_files */
        paths?: string[]
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        released: string[]
      }
    }
    /** Settles a conflict of detect_conflicts, and does what the outcome says in the same step, as a new version of its task. The same outcome again changes nothing. */
    resolve_conflict: {
      input: {
        /** ccf_... */
        conflict_id: string
        /** keep_yours: saves the refused updates now; merge: saves updates; reopen: a completed task; unlock: the element; dismiss: never mind */
        outcome: 'keep_theirs' | 'keep_yours' | 'merge' | 'reopen' | 'unlock' | 'dismiss'
        /** Parts that changed, null empties one. Texts: goal, next_action, notes. Lists of texts: constraints, done_steps, pending_steps, blockers, open_approvals. Lists of objects: decisions {decision, reason?, evidence?: [text]}, key_files {path, sha256?, commit?}, tests {name, result}, locked_elements {element, reason?} */
        updates?: Record<string, unknown>
        /** Why */
        note?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        conflict: {
          conflict_id: string
          status: string
        }
        task_id: string
        version: number
        changed: string[]
      }
    }
    /** Makes an older version the newest again, as a new version; nothing is lost. changed names the parts that differ from before, drift what differs in the project from the time of that version. With an old expected_version nothing is done and conflict says why. */
    rollback_to: {
      input: {
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** type version with version, or type checkpoint with checkpoint_id */
        target: {
          type: 'version' | 'checkpoint'
          version?: number
          checkpoint_id?: string
        }
        /** Version you know */
        expected_version?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        task_id: string
        version: number
        restored_from: number | null
        changed: string[]
        drift: {
          checked: boolean
        }
        conflict?: Record<string, unknown>
      }
    }
    /** Saves what changed in a task as a new version; creates project and task when there are none. With an old expected_version the task stays as it is, and conflict has both sides, for resolve_conflict. To read, call get_unified_context. */
    save_context_snapshot: {
      input: {
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** Parts that changed, null empties one. Texts: goal, next_action, notes. Lists of texts: constraints, done_steps, pending_steps, blockers, open_approvals. Lists of objects: decisions {decision, reason?, evidence?: [text]}, key_files {path, sha256?, commit?}, tests {name, result}, locked_elements {element, reason?} */
        updates: Record<string, unknown>
        /** Version you know */
        expected_version?: number
        /** What this save is about */
        summary?: string
        status?: 'active' | 'completed' | 'archived'
        /** ses_... of start_session */
        session_id?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        task_id: string
        version: number
        changed: string[]
        conflict?: Record<string, unknown>
      }
    }
    /** Finds tasks of a project by what was saved in them: by words and by likeness, best first, with the part that matches. similar_to finds past tasks like one. For titles only, call list_task_contexts. */
    search_contexts: {
      input: {
        /** Words; "exact phrase", -without */
        query?: string
        /** tcx_..., instead of query */
        similar_to?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** At most this many */
        limit?: number
      }
      output: {
        items: {
          task_id: string
          score: number
        }[]
        embedding_model: string
      }
    }
    /** Begins a session of an assistant in a project, made when there is none; the same client_session_id again is the session that lives, or goes on where its lost one stopped (continues). Then call check_recovery with it. */
    start_session: {
      input: {
        /** Its name; default: that of the client's folder */
        project?: string
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** What the client calls it */
        client_session_id?: string
        /** Who works in it; default: the name of the client */
        assistant?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        session: {
          session_id: string
        }
        project: {
          id: string
          name: string
          root: string | null
        }
        resumed: boolean
        continues: string | null
      }
    }
    /** Takes a role on a task, for a session or for whoever works on it, and returns what the role needs; the role before ends. To only read, call get_role_context. */
    switch_role: {
      input: {
        /** Such as reviewer */
        role: string
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** ses_... of start_session */
        session_id?: string
        /** Why */
        note?: string
        /** Budget, 4 bytes a token */
        max_tokens?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        before: string | null
        role: {
          name: string
        }
        task: {
          task_id: string
        }
        omitted: Record<string, unknown>[]
        not_given: string[]
      }
    }
    /** Makes another task of its project the current one and returns its context; updates are saved to the task that is left, in the same step. With an old expected_version nothing is done. For a new task, call create_task_context. */
    switch_task: {
      input: {
        /** To go on with, tcx_... */
        task_id: string
        /** Parts that changed, null empties one. Texts: goal, next_action, notes. Lists of texts: constraints, done_steps, pending_steps, blockers, open_approvals. Lists of objects: decisions {decision, reason?, evidence?: [text]}, key_files {path, sha256?, commit?}, tests {name, result}, locked_elements {element, reason?} */
        updates?: Record<string, unknown>
        /** Version you know of the task that is left */
        expected_version?: number
        /** ses_... of start_session */
        session_id?: string
        /** Budget, 4 bytes a token */
        max_tokens?: number
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        left: {
          task_id: string
          version: number
        } | null
        task: {
          task_id: string
          version: number
          checkpoint: Record<string, unknown>
        } | null
        drift: Record<string, unknown>
        omitted: Record<string, unknown>[]
        conflict?: Record<string, unknown>
      }
    }
    /** Writes the active tasks of a project as Markdown and JSON into its folder, for people and git. A file that was edited by hand is left alone, and its edit becomes a conflict for resolve_conflict. To save, call save_context_snapshot. */
    sync_hot_context: {
      input: {
        /** tcx_...: only this one */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** In the project's folder */
        folder?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        folder: string
        files: {
          path: string
          state: string
        }[]
        /** Active tasks beyond the latest 50 */
        omitted: number
      }
    }
    /** Hands a task over with a note, once the giving role's gate is met; only the receiver accepts or rejects, only the giver withdraws; list shows what is open. To judge it, call checkpoint_quality. */
    track_handoff: {
      input: {
        action: 'offer' | 'accept' | 'reject' | 'withdraw' | 'list'
        /** hof_... */
        handoff_id?: string
        /** tcx_...; default: the current task of the project */
        task_id?: string
        /** Its name; default: that of the client's folder */
        project?: string
        /** Such as reviewer */
        to_role?: string
        /** A subject (user:...), session or assistant */
        recipient?: string
        /** Of offer: what to know */
        note?: string
        /** Paths or ids */
        artifacts?: string[]
        /** Why with a closed gate */
        force?: string
        /** ses_... of start_session */
        session_id?: string
        /** Of reject */
        reason?: string
        /** Makes a repeat safe */
        idempotency_key?: string
      }
      output: {
        handoff: {
          handoff_id: string
          status: string
        } | null
        open: {
          handoff_id: string
        }[]
      }
    }
  }
}
