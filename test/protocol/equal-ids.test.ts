import { afterAll, beforeAll, expect, test } from 'vitest'
import { agent, type Channel, httpChannel, internalChannel, rpc } from './channels.ts'
import { type PlatformProcess, startPlatformProcess } from './platform-process.ts'
import { sseChannel } from './sse-channel.ts'
import { stdioChannel } from './stdio-channel.ts'

/**
 * Many clients that use the same ids at the same time: every answer belongs to who asked. Each call carries a value of its own,
 * which the answer must name. PROTOCOL_CLIENTS: clients per HTTP transport (100); stdio entries are processes, so there are five, with
 * as many calls in all. PROTOCOL_CALLS: calls per client (default 25, the full run takes 100).
 */
const CLIENTS = Number(process.env['PROTOCOL_CLIENTS'] ?? 100)
const CALLS = Number(process.env['PROTOCOL_CALLS'] ?? 25)
const ENTRIES = 5
/** Ids in flight per client at once, the same for all clients. */
const AT_ONCE = 5

let platform: PlatformProcess

beforeAll(async () => {
  platform = await startPlatformProcess()
})
afterAll(async () => {
  agent.destroy()
  await platform.close()
})

test.each<[string, number, () => Channel | Promise<Channel>]>([
  ['HTTP 2026', CLIENTS, () => httpChannel(platform, 'planning', 'modern')],
  ['HTTP 2025', CLIENTS, () => httpChannel(platform, 'planning', 'legacy')],
  ['HTTP+SSE', CLIENTS, () => sseChannel(platform, 'planning')],
  ['internal call', CLIENTS, () => internalChannel(platform, 'planning')],
  ['stdio 2026', ENTRIES, () => stdioChannel(platform, 'planning', 'modern')],
  ['stdio 2025', ENTRIES, () => stdioChannel(platform, 'planning', 'legacy')],
])('%s: clients with equal ids each get their own answers', async (name, clients, open) => {
  const channels = await Promise.all(Array.from({ length: clients }, open))
  const calls = (CALLS * CLIENTS) / clients
  const answered = await Promise.all(channels.map((channel, client) => askAll(channel, client, calls)))
  await Promise.all(channels.map((channel) => channel.close()))
  const total = answered.reduce((sum, count) => sum + count, 0)
  process.stderr.write(`equal ids, ${name}: ${clients} clients, ${total} answers, each to who asked\n`)
  expect(total).toBe(clients * calls)
  expect(platform.exitCode()).toBeUndefined()
  expect(platform.stderr()).toBe('')
})

/** Asks for goals that nobody has: the refusal names the goal, and so whose answer it is. */
async function askAll(channel: Channel, client: number, calls: number): Promise<number> {
  let own = 0
  for (let start = 0; start < calls; start += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, calls - start) }, (_, i) => start + i)
    const answers = await Promise.all(
      ids.map((id) => {
        const params = { name: 'get_goal', arguments: { goal_id: `gol_client${client}call${id}` } }
        return channel.ask(rpc(channel.era, id, 'tools/call', params))
      }),
    )
    for (const [i, { text, messages }] of answers.entries()) {
      if (messages[0]?.jsonrpc !== undefined) expect(messages[0].id).toBe(ids[i])
      expect(text).toContain(`gol_client${client}call${ids[i]}.`)
      own += 1
    }
  }
  return own
}
