import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { readManifests, serverManifest } from './manifest.ts'
import { loadServer } from './registry.ts'

const TOOL = { description: 'Does it.', effect: 'read', input: {}, output: {} }

function folder(tools: Record<string, object>, jobs: Record<string, object> = {}): URL {
  const root = mkdtempSync(join(tmpdir(), 'story-portal-registry-'))
  const dir = join(root, 'servers', 'made-up')
  mkdirSync(join(dir, 'tools'), { recursive: true })
  mkdirSync(join(dir, 'jobs'))
  write(dir, 'package.json', '{"version":"2.3.4","type":"module"}')
  write(dir, 'server.ts', module({ title: 'Made up', layer: 'L99', port: 77, summary: 's', instructions: 'i' }))
  for (const [file, tool] of Object.entries(tools)) write(dir, `tools/${file}.ts`, module(tool))
  for (const [file, job] of Object.entries(jobs)) write(dir, `jobs/${file}.ts`, module(job))
  write(dir, 'tools/ignored.test.ts', 'throw new Error("a test was loaded")')
  return pathToFileURL(dir)
}

const module = (value: object) => `export default ${JSON.stringify(value)}`
const write = (dir: string, name: string, text: string) => writeFileSync(join(dir, name), text)

test('a folder is a server: name, version, tools in name order, aliases, jobs', async () => {
  const url = folder(
    {
      'get-thing': { ...TOOL, name: 'get_thing', aliases: ['fetch_thing'] },
      'add-thing': { ...TOOL, name: 'add_thing', effect: 'create' },
    },
    { sweeper: { name: 'sweeper' } },
  )
  const server = await loadServer(url)
  expect(server).toMatchObject({ name: 'made-up', version: '2.3.4', port: 77, title: 'Made up' })
  expect([...server.tools.keys()]).toEqual(['add_thing', 'get_thing'])
  expect(server.tool('fetch_thing')).toBe(server.tool('get_thing'))
  expect(server.tool('constructor')).toBeUndefined()
  expect(server.jobs.map(({ name }) => name)).toEqual(['sweeper'])
})

test('everything wrong with a folder is said at once', async () => {
  const url = folder(
    {
      'get-thing': { ...TOOL, name: 'get_things' },
      'run-thing': { ...TOOL, name: 'run_thing', effect: 'execute' },
      'add-thing': {
        ...TOOL,
        name: 'add_thing',
        effect: 'make',
        description: 'x'.repeat(401),
        input: { idempotency_key: {} },
      },
      'old-thing': { ...TOOL, name: 'old_thing', aliases: ['run_thing', 'Bad-Name'] },
    },
    { sweeper: { name: 'sweper' } },
  )
  const error = await loadServer(url).catch((e: Error) => e)
  const lines = (error as Error).message.split('\n').map((line) => line.trim())
  expect(lines).toEqual([
    'Server made-up can not be loaded:',
    'tools/add-thing.ts: the description must have 1 to 400 characters',
    'tools/add-thing.ts: the effect must be one of read, create, update, delete, execute',
    'tools/add-thing.ts: idempotency_key is added by the pipeline; do not declare it',
    'tools/get-thing.ts: its tool must be named get_thing, not get_things',
    expect.stringMatching(/^tools\/old-thing.ts: the alias Bad-Name must match/),
    'tools/run-thing.ts: an execute tool must declare transaction: false',
    'the name or alias run_thing is used twice',
    'jobs/sweeper.ts: its job must be named sweeper',
  ])
})

test('a file without a default export is named', async () => {
  const url = folder({})
  writeFileSync(join(new URL(`${url.href}/`).pathname, 'tools', 'empty-tool.ts'), 'export const x = 1')
  await expect(loadServer(url)).rejects.toThrow(/empty-tool\.ts has no default export/)
})

test('what a server is can be read back without loading it', async () => {
  const url = folder({ 'get-thing': { ...TOOL, name: 'get_thing' } })
  const server = await loadServer(url)
  const root = join(new URL(url.href).pathname, '..', '..')
  expect(await readManifests(root)).toEqual([])
  writeFileSync(join(root, 'servers', 'made-up', 'tools.json'), JSON.stringify(serverManifest(server)))
  expect(await readManifests(root)).toMatchObject([
    { name: 'made-up', version: '2.3.4', port: 77, tools: [{ name: 'get_thing' }] },
  ])
})

test('a resource and a prompt are named as their files and read tools of their own server', async () => {
  const url = folder({ 'get-thing': { ...TOOL, name: 'get_thing' } })
  for (const kind of ['resources', 'prompts']) mkdirSync(new URL(`${url.href}/${kind}`))
  const write = (name: string, value: object) => writeFileSync(new URL(`${url.href}/${name}`), module(value))
  write('resources/one-thing.ts', { name: 'one_thing', uri: 'thing://{id}', read: { tool: 'get_things' } })
  write('prompts/say-thing.ts', { name: 'say', text: 'x' })
  const error = await loadServer(url).catch((e: Error) => e)
  expect((error as Error).message.split('\n').map((line) => line.trim())).toEqual([
    'Server made-up can not be loaded:',
    'resources/one-thing.ts: the server has no tool get_things',
    'prompts/say-thing.ts: it must be named say_thing, not say',
  ])
})
