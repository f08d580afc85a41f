import type { Config } from '@story-portal/shared/config'
import type { Output } from '../cli/output.ts'
import { rootDir } from '../launch.js'
import { type Call, connect, ToolError } from './connect.ts'
import { demoPlan, STATISTICS_TOOL } from './plan.ts'
import { readRepository } from './repository.ts'
import { type Kill, killBusySandbox } from './sandbox-process.ts'
import { history, type StoredEvent, type Task, timeline } from './timeline.ts'

interface Servers {
  planning: Call
  tools: Call
  data: Call
}

interface PlanAnswer {
  plan: { id: string; status: string; waves: string[][] }
  tasks: Task[]
}

const LIMIT_MS = 240_000

/** The main job, told step by step: goal, tool, plan, work, a killed process, an assistant's part, the result and its history. */
export async function tellStory(out: Output, config: Config, platform: string): Promise<void> {
  const env = environment(config)
  const [planning, tools, data] = await Promise.all(
    ['planning', 'tool-execution', 'data'].map((server) => connect(rootDir, server, env)),
  )
  if (!planning || !tools || !data) throw new Error('unreachable')
  try {
    await story(out, config, platform, { planning: planning.call, tools: tools.call, data: data.call })
  } finally {
    await Promise.all([planning, tools, data].map((connection) => connection.close()))
  }
}

async function story(out: Output, config: Config, platform: string, servers: Servers): Promise<void> {
  const say = (head: string, text: string) => out.say(`${out.style('bold', head.padEnd(10))} ${text}`)
  say('Platform', `${platform}; this client speaks MCP over stdio with it, as an assistant does`)

  const repository = readRepository(rootDir)
  const { goal } = (await servers.planning('create_goal', {
    title: 'Know this repository',
    description: 'What is in it, what everything rests on, and where a newcomer should begin.',
  })) as { goal: { id: string } }
  say('Goal', `"Know this repository" is recorded as ${goal.id}`)
  say('Tool', await registerTool(servers.tools))

  const definition = demoPlan(goal.id, repository)
  const { plan } = (await servers.planning('create_plan', definition)) as unknown as PlanAnswer
  const shape = plan.waves.map((wave) => wave.join(' + ')).join(' -> ')
  say('Plan', `${definition.tasks.length} tasks on ${repository.files.length} real files, checked as a whole: ${shape}`)
  await servers.planning('run_plan', { plan_id: plan.id, mode: 'background' })

  const kill = await killBusySandbox(config.home, 60_000)
  const accident = kill
    ? `we killed sandbox process ${kill.pid} (SIGKILL) in the middle of "ranking"`
    : 'no process could be killed here'
  say('Accident', `${accident}; "tests" fails twice by itself`)
  const review = await reviewAsAssistant(servers.planning, plan.id)
  say('Assistant', `claimed "review", read its inputs and answered: ${review}`)

  const ended = await untilEnded(servers.planning, plan.id)
  await report(out, servers, ended, { goalId: goal.id, kill })
  if (ended.plan.status !== 'completed') throw new Error(`The plan ended as ${ended.plan.status}.`)
}

/** What the entries need to reach the platform of this configuration; the rest of the environment is theirs too. */
function environment(config: Config): Record<string, string> {
  const env = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const place = { STORY_PORTAL_HOME: config.home, STORY_PORTAL_PORT_BASE: String(config.portBase) }
  return { ...Object.fromEntries(env), ...place }
}

async function registerTool(call: Call): Promise<string> {
  const { name, version } = STATISTICS_TOOL
  try {
    await call('register_tool', STATISTICS_TOOL)
    return `${name} ${version} is registered: JavaScript of the client's own, run in a sandbox without any right`
  } catch (error) {
    if (!(error instanceof ToolError) || error.body.code !== 'CONFLICT') throw error
    return `${name} ${version} is there from an earlier run; versions never change`
  }
}

/** The client's own part: waits for its task, claims it under a lease and completes it. */
async function reviewAsAssistant(call: Call, planId: string): Promise<string> {
  const deadline = Date.now() + LIMIT_MS
  while (Date.now() < deadline) {
    const claim = (await call('claim_task', { plan_id: planId })) as {
      task: { id: string; input: { ranking: { path: string; share: number }[] } } | null
      lease_token: string
    }
    if (claim.task) {
      const [first] = claim.task.input.ranking
      const advice = `Open ${first?.path} first: ${first?.share} % of all walks along the imports end there.`
      await call('complete_task', { task_id: claim.task.id, lease_token: claim.lease_token, output: { advice } })
      return advice
    }
    const { plan } = (await call('get_plan', { plan_id: planId })) as unknown as PlanAnswer
    if (['completed', 'failed', 'cancelled'].includes(plan.status)) throw new Error(`The plan ended as ${plan.status}.`)
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  throw new Error('No task became ready for the assistant.')
}

async function untilEnded(call: Call, planId: string): Promise<PlanAnswer> {
  await call('run_plan', { plan_id: planId, mode: 'wait' })
  return (await call('get_plan', { plan_id: planId })) as unknown as PlanAnswer
}

interface Told {
  goalId: string
  kill: Kill | undefined
}

async function report(out: Output, servers: Servers, { plan, tasks }: PlanAnswer, told: Told): Promise<void> {
  const failures = await Promise.all(
    tasks.map(async ({ id }) => (await eventsOf(servers.data, `task/${id}`)).filter(isFailure)),
  )
  const rows = tasks.map((task, i) => ({
    task,
    failures: failures[i] ?? [],
    kill: task.key === 'ranking' ? told.kill : undefined,
  }))
  const events = await eventsOf(servers.data, `goal/${told.goalId}`)
  const result = tasks.find((task) => task.key === 'report')?.output as Record<string, string> | null
  const lines = ['repository', 'biggest_folders', 'tests', 'most_imported', 'advice'].map(
    (name) => `  ${name.replaceAll('_', ' ').padEnd(16)} ${result?.[name] ?? ''}`,
  )
  const heading = (text: string) => out.style('bold', text)
  const text = [
    '',
    `${heading('Timeline')} of ${plan.id} (${plan.status})`,
    timeline(rows, out.style),
    '',
    heading('Result'),
    ...lines,
    '',
    `${heading('History of the goal')}, from the event log`,
    history(events),
    '',
    'Nothing was lost and nothing ran twice: every step was recorded before it began and after it ended, by whoever did it.',
  ].join('\n')
  out.result({ goal_id: told.goalId, killed: told.kill, plan, tasks, result, history: events }, text)
}

async function eventsOf(call: Call, stream: string): Promise<StoredEvent[]> {
  const { items } = (await call('list_events', { stream, limit: 200 })) as { items: StoredEvent[] }
  return items
}

/** A try that ended without result leaves its error in the task's record, which then waits for the next try. */
function isFailure({ data }: StoredEvent): boolean {
  const change = data.changes?.['error']
  return change?.to !== null && change?.to !== undefined
}
