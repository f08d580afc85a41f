import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createRecord, listRecords } from '../data/index.ts'
import { errors } from '../errors/index.ts'
import { assembleServer, defineServer, defineTool, type LoadedServer } from '../mcp/index.ts'

const Title = z.string().min(1).max(2_000_000)

/** A server with one tool of each manner, for tests of everything between a client and a tool. */
export function fixtureServer(name = 'fixture', port = 90): LoadedServer {
  const definition = defineServer({
    title: 'Fixture',
    layer: 'L99',
    port,
    summary: 'Tools for tests.',
    instructions: 'For tests only.',
  })
  const tools = [
    echo,
    addNote,
    countNotes,
    storeWrong,
    throwForeign,
    throwCoded,
    answerWrong,
    runSlowly,
    callOther,
    adminOnly,
  ]
  return assembleServer({ ...definition, name, version: '1.2.3' }, tools)
}

const echo = defineTool({
  name: 'echo_value',
  description: 'Returns what it was given, and who gave it.',
  effect: 'read',
  transaction: false,
  aliases: ['say_value'],
  input: { value: z.unknown().describe('Anything.'), nested: z.object({ depth: z.int() }).optional() },
  output: { value: z.unknown(), subject: z.string(), client: z.string(), correlation_id: z.string() },
  async run({ value }, { caller, correlation_id }) {
    return { value, subject: caller.subject, client: caller.client.name, correlation_id }
  },
})

const addNote = defineTool({
  name: 'add_note',
  description: 'Keeps a note.',
  effect: 'create',
  input: { title: Title, wait_ms: z.int().min(0).max(10_000).default(0) },
  output: { id: z.string() },
  async run({ title, wait_ms }, { tx }) {
    const { id } = await createRecord(tx, 'goal', { title })
    await sleep(wait_ms)
    return { id }
  },
})

const countNotes = defineTool({
  name: 'count_notes',
  description: 'Returns how many notes there are.',
  effect: 'read',
  input: {},
  output: { count: z.int() },
  async run(_args, { tx }) {
    return { count: (await listRecords(tx, 'goal', { limit: 200 })).items.length }
  },
})

const storeWrong = defineTool({
  name: 'store_wrong',
  description: 'Keeps a note, then answers what its schema does not allow.',
  effect: 'create',
  input: { title: Title },
  output: { id: z.string().startsWith('never_') },
  async run({ title }, { tx }) {
    return { id: (await createRecord(tx, 'goal', { title })).id }
  },
})

const throwForeign = defineTool({
  name: 'throw_foreign',
  description: 'Fails as a library would.',
  effect: 'read',
  input: {},
  output: {},
  async run() {
    throw new Error('connect ECONNREFUSED 10.0.0.7:5432 password=hunter2')
  },
})

const throwCoded = defineTool({
  name: 'throw_coded',
  description: 'Fails as a tool should.',
  effect: 'execute',
  transaction: false,
  input: { id: z.string() },
  output: {},
  async run({ id }) {
    throw errors.notFound({ kind: 'note', id }, { details: { looked_in: 'the box' } })
  },
})

const answerWrong = defineTool({
  name: 'answer_wrong',
  description: 'Answers what JSON does not have.',
  effect: 'execute',
  transaction: false,
  input: {},
  output: { value: z.unknown() },
  async run() {
    return { value: 1n }
  },
})

const runSlowly = defineTool({
  name: 'run_slowly',
  description: 'Takes its time and tells how far it is.',
  effect: 'execute',
  transaction: false,
  input: {
    steps: z.int().min(1).max(10_000),
    step_ms: z.int().min(0).max(1_000).default(10),
    stubborn: z.boolean().default(false),
  },
  output: { steps: z.int() },
  async run({ steps, step_ms, stubborn }, { progress, signal }) {
    for (let step = 1; step <= steps; step += 1) {
      if (!stubborn) signal.throwIfAborted()
      progress({ progress: step, total: steps, message: `step ${step}` })
      await sleep(step_ms)
    }
    return { steps }
  },
})

const callOther = defineTool({
  name: 'call_other',
  description: 'Calls another tool and returns its result.',
  effect: 'execute',
  transaction: false,
  input: { server: z.string(), tool: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) },
  output: {},
  run: ({ server, tool, arguments: args }, ctx) => ctx.callByName(server, tool, args, { onProgress: ctx.progress }),
})

const adminOnly = defineTool({
  name: 'admin_only',
  description: 'Returns a secret.',
  effect: 'read',
  roles: ['admin'],
  input: {},
  output: { secret: z.boolean() },
  async run() {
    return { secret: true }
  },
})
