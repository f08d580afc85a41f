/** Other people's MCP servers from npm as upstreams: connect, list, call, kill -9, stop, a changed definition. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage } from '../install-package.ts'

const HERE = path.join(import.meta.dirname, '../upstreams')
const server = (name: string) => path.join(HERE, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`)
const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'upstreams-')))
const run = (...args: string[]) => ({ type: 'stdio', command: process.execPath, args })
const MEMORY = { ...run(server('memory')), env: { MEMORY_FILE_PATH: path.join(folder, 'memory.jsonl') } }

let tools: Opened
beforeAll(async () => {
  await installPackage(HERE, (line) => process.stderr.write(`${line}\n`))
  tools = await open('tool-execution', { start: true })
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

async function connect(name: string, transport: object, more: object = {}) {
  const { tools: changes } = await tools.call('connect_mcp_server', { name, transport, ...more })
  return new Map<string, { state: string; changed?: string[] }>(
    changes.map((change: { tool: string; state: string }) => [change.tool, change]),
  )
}

const invoke = async (tool: string, args: object = {}) =>
  (await tools.call('invoke_tool', { tool, arguments: args })).invocation

/** Ids of the processes of this machine whose command line names a server of this test. */
function processesOf(name: string): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  const ours = lines.map((line) => line.trim().split(/\s+/)).filter(([, ppid]) => ppid === String(process.pid))
  return ours.flatMap(([pid, , stat = '', ...args]) =>
    !stat.startsWith('Z') && args.includes(server(name)) ? [Number(pid)] : [],
  )
}

test('tools of three servers are listed, called, and called again after kill -9 of each', async () => {
  const everything = await connect('everything', run(server('everything'), 'stdio'))
  const memory = await connect('memory', MEMORY)
  const filesystem = await connect('filesystem', run(server('filesystem'), folder))
  expect(everything.get('everything_get_sum')).toMatchObject({ state: 'added' })
  expect(memory.size).toBeGreaterThanOrEqual(9)
  expect(filesystem.get('filesystem_write_file')).toMatchObject({ state: 'added' })

  const entity = (name: string) => ({ entities: [{ name, entityType: 'test', observations: ['seen'] }] })
  const round = async (word: string) => {
    const sum = await invoke('everything_get_sum', { a: 40, b: 2 })
    expect(sum.output).toMatchObject({ upstream: 'everything', content: [{ text: expect.stringContaining('42') }] })
    expect(await invoke('memory_create_entities', entity(word))).toMatchObject({
      status: 'succeeded',
      effect: 'outside',
    })
    const graph = await invoke('memory_read_graph')
    expect(graph.output.structured.entities).toContainEqual(expect.objectContaining({ name: word }))
    const file = path.join(folder, `${word}.txt`)
    expect(await invoke('filesystem_write_file', { path: file, content: word })).toMatchObject({ status: 'succeeded' })
    expect(readFileSync(file, 'utf8')).toBe(word)
  }
  await round('before')
  for (const name of ['everything', 'memory', 'filesystem']) {
    const [pid = 0, ...others] = processesOf(name)
    expect(others).toEqual([])
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => processesOf(name)).toEqual([])
  }
  await round('after')

  const outside = await invoke('filesystem_read_text_file', { path: '/etc/hostname' })
  expect(outside).toMatchObject({ status: 'failed', error: { number: 'E3085' } })
  await tools.call('connect_mcp_server', { name: 'everything', enabled: false })
  expect(processesOf('everything')).toEqual([])
}, 60_000)

test('a changed definition of a real server is held until it is approved', async () => {
  await connect('notes', MEMORY)
  const reworded = run(path.join(HERE, 'reworded.js'), server('memory'), 'Read the entire', 'Return the entire')
  const changed = await connect('notes', { ...reworded, env: MEMORY.env })
  expect(changed.get('notes_read_graph')).toMatchObject({ state: 'changed', changed: ['description'] })
  expect(changed.get('notes_search_nodes')).toMatchObject({ state: 'unchanged' })
  expect(await invoke('notes_read_graph')).toMatchObject({ status: 'failed', error: { number: 'E3087' } })
  expect(await invoke('notes_search_nodes', { query: 'x' })).toMatchObject({ status: 'succeeded' })
  await tools.call('connect_mcp_server', { name: 'notes', approve_changes: true })
  expect(await invoke('notes_read_graph')).toMatchObject({ status: 'succeeded', tool_version: '2.0.0' })
}, 60_000)

test('no process of an upstream is left after the stop', async () => {
  expect(processesOf('memory').length).toBeGreaterThan(0)
  await tools.close()
  for (const name of ['everything', 'memory', 'filesystem']) expect(processesOf(name)).toEqual([])
})
