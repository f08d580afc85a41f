import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCacheServices } from '@story-portal/shared/cache'
import { migrate, openDatabase } from '@story-portal/shared/db'
import { createJobs } from '@story-portal/shared/jobs'
import { assembleServer, createHost, defineServer, defineTool, serveHttp } from '@story-portal/shared/mcp'
import { createLogger } from '@story-portal/shared/telemetry'
import { z } from 'zod'
import { testConfig } from '../../shared/testing/test-config.ts'

/**
 * What the benchmark of calls asks: a server of 50 tools with the front path, the same without it, and the floor, a handler on bare
 * node:http that checks nothing. Tells its ports, then the CPU time of the process (user and system, microseconds) when asked.
 */

const TOOLS = 50
const token = `bench_${'x'.repeat(40)}`

const tools = Array.from({ length: TOOLS }, (_, i) =>
  defineTool({
    name: i === 0 ? 'echo_fields' : `echo_fields_${i}`,
    description: 'Returns what it was given. For the same with a note, call another of the fifty tools here.',
    effect: 'read',
    transaction: false,
    input: {
      text: z.string().max(1000).describe('Any text.'),
      count: z.int().min(0).max(1000).describe('How many.'),
      tags: z.array(z.string().max(40)).max(20).describe('Some words.'),
      mode: z.enum(['short', 'long']).default('short').describe('How much of it.'),
    },
    output: { text: z.string(), count: z.int(), tags: z.array(z.string()), mode: z.string() },
    run: async (args) => args,
  }),
)
const definition = { title: 'Bench', layer: 'L99', port: 1, summary: 'For the benchmark.', instructions: 'None.' }
const server = assembleServer({ ...defineServer(definition), name: 'bench', version: '1.0.0' }, tools)

const config = testConfig({ STORY_PORTAL_LOG_LEVEL: 'info' })
const log = createLogger({ name: 'bench', ...config.log })
const db = await openDatabase(config, { log })
await migrate(db)

async function listen(frontPath: boolean): Promise<number> {
  const own = { ...config, mcp: { ...config.mcp, frontPath } }
  const services = await createCacheServices({ config: own, db, log })
  const jobs = await createJobs({ db, log })
  const host = await createHost({ config: own, servers: [server], db, services, jobs, log })
  return (await serveHttp(host, 'bench', { port: 0, token })).port
}

const floor = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    const { id, params } = JSON.parse(Buffer.concat(chunks).toString())
    const structuredContent = params.arguments ?? {}
    const content = [{ type: 'text', text: JSON.stringify(structuredContent) }]
    const body = JSON.stringify({ result: { content, structuredContent }, jsonrpc: '2.0', id })
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
  })
})
await new Promise<void>((resolve) => floor.listen(0, '127.0.0.1', resolve))

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.once('disconnect', () => process.exit(0))
const ports = { front: await listen(true), sdk: await listen(false), floor: (floor.address() as AddressInfo).port }
process.send?.({ ...ports, token })
