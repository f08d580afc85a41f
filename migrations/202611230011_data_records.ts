import { recordTable } from '@story-portal/shared/data'
import { grantTable, tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/** The eleven kinds of records, their states, and the functions every record table uses. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await functions(db)
  await people(db)
  await work(db)
  await execution(db)
  await judgement(db)
}

async function functions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.state_transitions (
      kind text not null,
      from_state text not null,
      to_state text not null,
      primary key (kind, from_state, to_state)
    )`.execute(db)
  await sql`comment on column core.state_transitions.from_state is 'empty: a new record may begin in to_state'`.execute(
    db,
  )
  await grantTable(db, 'core.state_transitions', { app: ['select'] })
  await sql`
    create function core.check_transition() returns trigger language plpgsql as $$
    declare
      before text := coalesce(old.status, '');
    begin
      if new.status = before or exists (
        select from core.state_transitions s
        where s.kind = tg_argv[0] and s.from_state = before and s.to_state = new.status
      ) then
        return new;
      end if;
      raise exception using errcode = 'SP001',
        message = format('a %s can not go from %s to %s', tg_argv[0], before, new.status),
        detail = json_build_object('kind', tg_argv[0], 'from', before, 'to', new.status, 'allowed', coalesce((
          select json_agg(s.to_state order by s.to_state) from core.state_transitions s
          where s.kind = tg_argv[0] and s.from_state = before), '[]'::json))::text;
    end $$`.execute(db)
  // Deferred to COMMIT: by then the event log has flushed, and a row ahead of its stream would be a change without an event.
  await sql`
    create function core.check_recorded() returns trigger language plpgsql as $$
    begin
      if new.version > coalesce((
        select s.version from core.streams s where s.tenant_id = new.tenant_id and s.stream = tg_argv[0] || '/' || new.id
      ), 0) then
        raise exception using errcode = 'SP003', message = format('%s/%s changed without an event', tg_argv[0], new.id);
      end if;
      return null;
    end $$`.execute(db)
  await sql`
    create function core.as_time(value text) returns timestamptz language sql stable as $$
      select case when value like 'now%' then core.now() + (substr(value, 4) || ' milliseconds')::interval
        else value::timestamptz end
    $$`.execute(db)
  await sql`
    create function core.installation_key(purpose text) returns bytea
    language sql stable security definer set search_path = pg_catalog as $$
      select sha256(secret || convert_to(purpose, 'UTF8')) from core.installation
    $$`.execute(db)
  await sql`revoke all on function core.installation_key(text) from public`.execute(db)
  await sql`grant execute on function core.installation_key(text) to story_portal_app, story_portal_system`.execute(db)
}

async function people(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'agent',
    table: 'core.agents',
    columns: `name text not null, role text, instructions text, model_policy jsonb, granted_tools jsonb, limits jsonb,
      status text not null`,
    search: ['name', 'role', 'instructions'],
    states: {
      '': ['created'],
      created: ['active', 'terminated', 'error'],
      active: ['busy', 'suspended', 'terminated', 'error'],
      busy: ['active', 'terminated', 'error'],
      suspended: ['active', 'terminated', 'error'],
      error: ['terminated'],
    },
  })
  await recordTable(db, {
    kind: 'session',
    table: 'core.sessions',
    columns: `project text, agent_id text, client jsonb, status text not null, last_heartbeat_at timestamptz(3),
      ended_at timestamptz(3), summary jsonb,
      foreign key (tenant_id, agent_id) references core.agents on delete set null (agent_id)`,
    search: ['project'],
    states: {
      '': ['active'],
      active: ['ended', 'crashed', 'compacted'],
      ended: ['recovered'],
      crashed: ['recovered'],
      compacted: ['recovered'],
    },
  })
  await sql`create index sessions_agent on core.sessions (tenant_id, agent_id) where agent_id is not null`.execute(db)
}

async function work(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'goal',
    table: 'core.goals',
    columns: `title text not null, description text, constraints jsonb, status text not null,
      completes_with text not null check (completes_with in ('plan', 'manual')), result jsonb, error jsonb, labels jsonb`,
    search: ['title', 'description'],
    states: { '': ['pending'], pending: ['active'], active: ['completed', 'failed', 'cancelled'] },
  })
  await recordTable(db, {
    kind: 'plan',
    table: 'core.plans',
    columns: `goal_id text not null, name text, revision int not null, revises_plan_id text, status text not null,
      strategy text, definition jsonb, waves jsonb, critical_path jsonb, caller jsonb, tasks_total int not null,
      tasks_completed int not null, tasks_failed int not null, tasks_skipped int not null, tasks_cancelled int not null,
      max_parallel int, error jsonb, started_at timestamptz(3), finished_at timestamptz(3), paused_at timestamptz(3),
      foreign key (tenant_id, goal_id) references core.goals on delete restrict,
      foreign key (tenant_id, revises_plan_id) references core.plans on delete set null (revises_plan_id)`,
    search: ['name'],
    states: {
      '': ['draft', 'validated'],
      draft: ['validated', 'cancelled'],
      validated: ['executing', 'cancelled'],
      executing: ['paused', 'completed', 'failed', 'cancelled'],
      paused: ['executing', 'cancelled'],
    },
  })
  await sql`create index plans_goal on core.plans (tenant_id, goal_id)`.execute(db)
  await sql`
    create index plans_revises on core.plans (tenant_id, revises_plan_id) where revises_plan_id is not null`.execute(db)
  await tasks(db)
}

async function tasks(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'task',
    table: 'core.tasks',
    columns: `plan_id text not null, goal_id text, parent_task_id text, key text not null, name text,
      kind text not null check (kind in ('tool', 'model', 'agent', 'code', 'assistant', 'approval')), status text not null,
      spec jsonb not null, wave int, pending_dependencies int not null check (pending_dependencies >= 0), input jsonb,
      output jsonb, error jsonb, attempts int not null, max_attempts int not null, fence int not null, lease_token text,
      lease_owner text, lease_expires_at timestamptz(3), ready_at timestamptz(3), retry_at timestamptz(3),
      deadline_at timestamptz(3), started_at timestamptz(3), finished_at timestamptz(3),
      unique (tenant_id, plan_id, key),
      foreign key (tenant_id, plan_id) references core.plans on delete cascade,
      foreign key (tenant_id, goal_id) references core.goals on delete restrict,
      foreign key (tenant_id, parent_task_id) references core.tasks on delete cascade`,
    search: [],
    states: {
      '': ['pending', 'ready'],
      pending: ['ready', 'skipped', 'cancelled'],
      ready: ['running', 'blocked', 'skipped', 'cancelled'],
      blocked: ['ready', 'cancelled'],
      running: ['completed', 'failed', 'cancelled', 'waiting', 'ready'],
      waiting: ['running', 'ready', 'failed', 'cancelled'],
    },
  })
  await sql`create index tasks_goal on core.tasks (tenant_id, goal_id) where goal_id is not null`.execute(db)
  await sql`
    create index tasks_parent on core.tasks (tenant_id, parent_task_id) where parent_task_id is not null`.execute(db)
  await sql`
    create table core.task_dependencies (
      tenant_id text not null,
      plan_id text not null,
      task_id text not null,
      depends_on_id text not null,
      primary key (tenant_id, plan_id, task_id, depends_on_id),
      foreign key (tenant_id, plan_id) references core.plans on delete cascade,
      foreign key (tenant_id, task_id) references core.tasks on delete cascade,
      foreign key (tenant_id, depends_on_id) references core.tasks on delete cascade
    )`.execute(db)
  await sql`create index task_dependencies_dependants on core.task_dependencies (tenant_id, depends_on_id)`.execute(db)
  await sql`create index task_dependencies_task on core.task_dependencies (tenant_id, task_id)`.execute(db)
  await tenantTable(db, 'core.task_dependencies')
}

async function execution(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'tool',
    table: 'core.tools',
    columns: `name text not null, semver text not null, title text, description text not null, input_schema jsonb not null,
      output_schema jsonb, source jsonb not null, source_hash text not null, permissions jsonb, limits jsonb,
      requires_approval bool not null, status text not null, deprecated_at timestamptz(3), sunset_at timestamptz(3),
      replacement text, effect text not null check (effect in ('pure', 'journaled', 'outside')),
      unique (tenant_id, name, semver)`,
    search: ['name', 'title', 'description'],
    states: {
      '': ['active'],
      active: ['deprecated', 'disabled'],
      deprecated: ['active', 'disabled'],
      disabled: ['active'],
    },
  })
  await runs(db)
  await invocations(db)
}

async function runs(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'run',
    table: 'core.runs',
    columns: `kind text not null check (kind in ('plan', 'agent', 'script')), plan_id text, agent_id text, goal_id text,
      parent_run_id text, status text not null, input jsonb, output jsonb, error jsonb, fence int not null,
      lease_owner text, lease_token text, lease_expires_at timestamptz(3), started_at timestamptz(3),
      finished_at timestamptz(3), usage jsonb,
      foreign key (tenant_id, plan_id) references core.plans on delete cascade,
      foreign key (tenant_id, agent_id) references core.agents on delete restrict,
      foreign key (tenant_id, goal_id) references core.goals on delete restrict,
      foreign key (tenant_id, parent_run_id) references core.runs on delete set null (parent_run_id)`,
    search: [],
    states: {
      '': ['queued', 'running'],
      queued: ['running', 'cancelled'],
      running: ['waiting', 'succeeded', 'failed', 'cancelled'],
      waiting: ['running', 'cancelled'],
    },
  })
  for (const column of ['plan_id', 'agent_id', 'goal_id', 'parent_run_id']) {
    const name = sql.ref(column)
    await sql`create index on core.runs (tenant_id, ${name}) where ${name} is not null`.execute(db)
  }
}

async function invocations(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'invocation',
    table: 'core.invocations',
    columns: `call_key text not null, kind text not null check (kind in ('tool', 'code', 'script', 'server_tool')),
      tool text, tool_id text, tool_version text, run_id text, plan_id text, task_id text, parent_invocation_id text,
      attempt int not null, arguments jsonb, arguments_hash text not null,
      effect text not null check (effect in ('pure', 'journaled', 'outside')), status text not null, output jsonb,
      error jsonb, logs jsonb, usage jsonb, fence int not null, lease_owner text, lease_token text,
      lease_expires_at timestamptz(3), deadline_at timestamptz(3), started_at timestamptz(3), finished_at timestamptz(3),
      subject text, caller jsonb,
      unique (tenant_id, call_key),
      foreign key (tenant_id, tool_id) references core.tools on delete restrict,
      foreign key (tenant_id, parent_invocation_id) references core.invocations on delete set null (parent_invocation_id)`,
    search: [],
    states: {
      '': ['pending', 'running', 'pending_approval'],
      pending: ['running', 'pending_approval', 'cancelled'],
      pending_approval: ['running', 'denied', 'cancelled'],
      running: ['succeeded', 'failed', 'timed_out', 'cancelled', 'unknown'],
      unknown: ['succeeded', 'failed'],
    },
  })
  for (const column of ['tool_id', 'task_id', 'run_id', 'parent_invocation_id']) {
    const name = sql.ref(column)
    await sql`create index on core.invocations (tenant_id, ${name}) where ${name} is not null`.execute(db)
  }
}

async function judgement(db: Kysely<unknown>): Promise<void> {
  await recordTable(db, {
    kind: 'evaluation',
    table: 'core.evaluations',
    columns: `target_kind text not null, target_id text not null, metrics jsonb, score float8, method text, notes text`,
    search: ['notes'],
  })
  await recordTable(db, {
    kind: 'feedback',
    table: 'core.feedback',
    columns: `target_kind text not null, target_id text not null, rating int, comment text, labels jsonb`,
    search: ['comment'],
  })
  for (const table of ['core.evaluations', 'core.feedback']) {
    await sql`create index on ${sql.table(table)} (tenant_id, target_kind, target_id)`.execute(db)
  }
  await recordTable(db, {
    kind: 'configuration',
    table: 'core.configurations',
    columns: `key text not null, value jsonb not null, schema jsonb, description text, unique (tenant_id, key)`,
    search: ['key', 'description'],
  })
}
