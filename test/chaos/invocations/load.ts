import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@modelcontextprotocol/client'
import type { Random } from '../random.ts'
import type { Worker, Workers } from './workers.ts'

const GIVE_UP_MS = 180_000
const AT_ONCE = 16
/** Of a hundred keys: how many go to the tool that can not be asked, and are undone. */
const BLIND = 20
const UNDONE = 5

/** How one key ended, as every caller of it was told. */
export interface Ended {
  key: string
  tool: 'send' | 'send_blind'
  callers: number
  /** As answered to each of them; all must be the same. */
  answers: string[]
  status: string
  undone: boolean
}

type Invocation = { id: string; status: string; output: unknown; error: { number: string } | null }

const request = (url: string, label: string) =>
  `await http.fetch('${url}/', { method: 'POST', body: JSON.stringify({ label: ${label} }) })`

const VERIFY = (url: string) => `
  const { status, body } = await http.fetch('${url}/?key=' + input.key)
  return status === 200 ? { state: 'done', output: { status: 201, body: JSON.stringify(JSON.parse(body)) } } : { state: 'not_done' }`

/** Registers a tool that posts to the receiver and can ask it, and one that can not ask. */
export async function registerTools(worker: Worker, url: string): Promise<void> {
  const client = await worker.connect()
  const code = `const { status } = ${request(url, 'input.label')}; return { status, label: input.label }`
  const compensate = `${request(url, "'undo ' + input.output.label")}; return 'undone'`
  const permissions = { http: [new URL(url).host] }
  const common = { version: '1.0.0', description: 'Sends.', input_schema: { type: 'object' }, permissions }
  const verify = VERIFY(url)
  const source = { type: 'javascript', code }
  await call(client, 'register_tool', { ...common, name: 'send', source: { ...source, verify, compensate } })
  await call(client, 'register_tool', { ...common, name: 'send_blind', source })
  await client.close()
}

/**
 * Calls at least `count` keys and more until `enough` is aborted, a third of them by two or three callers at once, each
 * at a worker of its own and again until there is an answer.
 */
export async function callAll(workers: Workers, count: number, random: Random, enough: AbortSignal): Promise<Ended[]> {
  const ended: Ended[] = []
  let next = 0
  const one = async () => {
    while (next < count || !enough.aborted) ended.push(await callKey(workers, `key-${next++}`, random))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return ended
}

async function callKey(workers: Workers, key: string, random: Random): Promise<Ended> {
  const lot = random.between(0, 99)
  const tool = lot < BLIND ? 'send_blind' : 'send'
  const callers = random.between(0, 2) === 0 ? random.between(2, 3) : 1
  const args = { tool, arguments: { label: key }, idempotency_key: key }
  const all = await Promise.all(
    Array.from({ length: callers }, () =>
      invoke(workers, random, random.between(0, 9) === 0 ? { ...args, mode: 'background' } : args),
    ),
  )
  const answers = all.map(({ status, output, error }) => JSON.stringify([status, output, error?.number]))
  const first = all[0] as Invocation
  const undone = tool === 'send' && first.status === 'succeeded' && lot >= 100 - UNDONE
  if (undone) await Promise.all([undo(workers, random, first.id), undo(workers, random, first.id)])
  return { key, tool, callers, answers, status: first.status, undone }
}

async function invoke(workers: Workers, random: Random, args: Record<string, unknown>): Promise<Invocation> {
  const { invocation } = (await untilAnswered(workers, random, 'invoke_tool', args)) as { invocation: Invocation }
  return await ended(workers, random, invocation)
}

async function undo(workers: Workers, random: Random, invocation_id: string): Promise<void> {
  const { invocation } = (await untilAnswered(workers, random, 'compensate_invocation', { invocation_id })) as {
    invocation: Invocation
  }
  const { status, error } = await ended(workers, random, invocation)
  if (status !== 'succeeded') throw new Error(`${invocation_id} was not undone: ${status} ${JSON.stringify(error)}`)
}

async function ended(workers: Workers, random: Random, first: Invocation): Promise<Invocation> {
  let invocation = first
  for (const deadline = Date.now() + GIVE_UP_MS; invocation.status === 'pending' || invocation.status === 'running'; ) {
    if (Date.now() > deadline) throw new Error(`${invocation.id} is ${invocation.status} for three minutes`)
    await sleep(100)
    const answer = await untilAnswered(workers, random, 'get_invocation', { invocation_id: invocation.id })
    invocation = answer['invocation'] as Invocation
  }
  return invocation
}

/** The same call at any worker until one answers; what is no answer is repeated. */
async function untilAnswered(workers: Workers, random: Random, tool: string, args: Record<string, unknown>) {
  for (const deadline = Date.now() + GIVE_UP_MS; ; ) {
    const worker = random.pick(workers.all)
    try {
      return await call(await clientOf(worker), tool, args)
    } catch (error) {
      clients.delete(worker)
      const code = /"code":"([A-Z_]+)"/.exec(String(error))?.[1]
      if (code !== undefined && code !== 'UNAVAILABLE') throw error
      if (Date.now() > deadline) throw new Error(`${tool} got no answer for three minutes: ${error}`)
      await sleep(50)
    }
  }
}

const clients = new Map<Worker, Promise<Client>>()

/** One client per worker, until a call fails. */
function clientOf(worker: Worker): Promise<Client> {
  const known = clients.get(worker) ?? worker.connect()
  clients.set(worker, known)
  return known
}

async function call(client: Client, name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { isError, structuredContent } = await client.callTool({ name, arguments: args }, { timeout: 120_000 })
  if (isError) throw new Error(JSON.stringify(structuredContent))
  return structuredContent as Record<string, unknown>
}

/** Statuses of invocations that are there still, by number; after all is over there is none. */
export async function openInvocations(worker: Worker): Promise<string[]> {
  const client = await worker.connect()
  const found: string[] = []
  for (const status of ['pending', 'running', 'pending_approval']) {
    const { items } = (await call(client, 'list_invocations', { status, limit: 200 })) as { items: { id: string }[] }
    found.push(...items.map(({ id }) => `${id} is ${status}`))
  }
  await client.close()
  return found
}
