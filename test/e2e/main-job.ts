import assert from 'node:assert/strict'

/** One tool call through whatever client is under test; resolves to the structured content, rejects with the error body. */
export type Call = (server: string, tool: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>

export interface MainJob {
  goal_id: string
  plan_id: string
  run_id: string
  calls: number
}

interface Row {
  [field: string]: unknown
}

const TOOL_CODE = 'return { words: input.text.split(/\\s+/).filter(Boolean).length }'

/**
 * The job the platform exists for, by public tools only: a goal, a plan of the client's own steps (sandboxed code, a tool that
 * was registered a moment ago, one step for the assistant itself), bound outputs, and everything read back at the end.
 */
export async function doMainJob(call: Call, label: string): Promise<MainJob> {
  let calls = 0
  const use = (server: string, tool: string, args: Record<string, unknown>) => {
    calls += 1
    return call(server, tool, args)
  }

  const tool = `count_words_${label.replace(/\W/g, '_')}`
  await use('tool-execution', 'register_tool', {
    name: tool,
    version: '1.0.0',
    description: 'Counts the words of a text.',
    input_schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    output_schema: { type: 'object', properties: { words: { type: 'integer' } }, required: ['words'] },
    source: { type: 'javascript', code: TOOL_CODE },
  })

  const { goal } = (await use('planning', 'create_goal', { title: `Count and judge (${label})` })) as { goal: Row }
  const { plan } = (await use('planning', 'create_plan', {
    goal_id: goal['id'],
    tasks: [
      { key: 'draft', kind: 'code', code: 'return { text: "nothing acknowledged is lost" }' },
      { key: 'count', kind: 'tool', tool, depends_on: ['draft'], input: { text: '{{tasks.draft.output.text}}' } },
      {
        key: 'judge',
        kind: 'assistant',
        depends_on: ['count'],
        input: { words: '{{tasks.count.output.words}}' },
        instructions: 'Say whether the text is short.',
      },
      {
        key: 'report',
        kind: 'code',
        depends_on: ['judge', 'count'],
        input: { words: '{{tasks.count.output.words}}', verdict: '{{tasks.judge.output.verdict}}' },
        code: 'return { line: input.words + " words: " + input.verdict }',
      },
    ],
  })) as { plan: Row }
  const plan_id = String(plan['id'])
  await use('planning', 'validate_plan', { plan_id })
  const started = (await use('planning', 'run_plan', { plan_id, mode: 'background' })) as { run_id: string }

  const { task, lease_token } = await until('a task to claim', async () => {
    const claim = (await use('planning', 'claim_task', { plan_id })) as { task: Row | null; lease_token: string }
    return claim.task ? { task: claim.task, lease_token: claim.lease_token } : undefined
  })
  assert.equal(task['key'], 'judge')
  assert.equal((task['input'] as Row)['words'], 4)
  await use('planning', 'complete_task', { task_id: task['id'], lease_token, output: { verdict: 'short' } })

  const done = await until('the plan to end', async () => {
    const seen = (await use('planning', 'get_plan', { plan_id })) as { plan: Row; tasks: Row[] }
    return seen.plan['status'] === 'completed' ? seen : undefined
  })
  const report = done.tasks.find((row) => row['key'] === 'report')
  assert.deepEqual(report?.['output'], { line: '4 words: short' })
  await readBack(use, { goal_id: String(goal['id']), plan_id, run_id: started.run_id, tool })
  return { goal_id: String(goal['id']), plan_id, run_id: started.run_id, calls }
}

/** Every record, every event and the result can be read back, on every server. */
async function readBack(use: Call, ids: { goal_id: string; plan_id: string; run_id: string; tool: string }) {
  const { record } = (await use('data', 'get_record', { kind: 'goal', id: ids.goal_id })) as { record: Row }
  assert.equal(record['status'], 'completed')
  const history = (await use('data', 'get_record_history', { kind: 'goal', id: ids.goal_id })) as { items: Row[] }
  assert.equal(history.items.length, record['version'])

  const tasks = (await use('data', 'list_records', { kind: 'task', filter: { plan_id: ids.plan_id } })) as {
    items: Row[]
  }
  assert.equal(tasks.items.length, 4)
  for (const task of tasks.items) {
    const events = (await use('data', 'list_events', { stream: `task/${task['id']}` })) as { items: Row[] }
    assert.deepEqual(
      events.items.map((event) => event['version']),
      events.items.map((_, index) => index + 1),
    )
    assert.equal(events.items.length, task['version'])
  }

  const run = (await use('runtime', 'get_run', { run_id: ids.run_id })) as { run: Row }
  assert.equal(run.run['status'], 'succeeded')
  const invocations = (await use('tool-execution', 'list_invocations', { run_id: ids.run_id })) as { items: Row[] }
  assert.equal(invocations.items.length, 3)
  for (const invocation of invocations.items) assert.equal(invocation['status'], 'succeeded')

  const found = (await use('service-hub', 'search_tools', { query: 'create a goal' })) as { items: Row[] }
  assert.ok(found.items.some((item) => item['tool'] === 'create_goal'))
  const through = (await use('service-hub', 'call_tool', {
    server: 'planning',
    tool: 'get_goal',
    arguments: { goal_id: ids.goal_id },
  })) as { goal: Row }
  assert.equal(through.goal['id'], ids.goal_id)
}

/** Asks until there is an answer; gives up after a minute, which only a broken platform reaches. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`waited a minute for ${what}`)
}
