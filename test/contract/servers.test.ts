import { readFileSync } from 'node:fs'
import path from 'node:path'
import { serverManifest, toolDefinitions } from '@story-portal/shared/mcp'
import { describe, expect, test } from 'vitest'
import { toolTable } from '../../tools/gen/documents.ts'
import { rootDir } from '../../tools/launch.js'
import { FIRST_OWN_PORT, LAST_PORT, SUITE_PORTS } from '../../tools/registry.ts'
import { bytesOf, servers, tools } from './suite.ts'

const read = (...parts: string[]) => readFileSync(path.join(rootDir, 'servers', ...parts), 'utf8')

/** About four bytes of JSON make a token. */
const MAX_LIST_BYTES = 3_000 * 4
/** Whose contract asks for more tools than fit; who loads one door instead of all lists pays for the hub's alone. */
const LARGER_LISTS: Readonly<Record<string, number>> = {
  'tool-execution': 6_000 * 4,
  'context-orchestrator': 8_600 * 4,
}

describe.each(servers.map((server) => [server.name, server] as const))('%s', (name, server) => {
  test('says what it is, briefly', () => {
    expect(server.layer).toMatch(/^(L\d\d|-)$/)
    expect(server.port).toBeLessThanOrEqual(LAST_PORT)
    // The number that the suite keeps for this name, or one that it keeps for nobody.
    const own = Object.hasOwn(SUITE_PORTS, name)
    if (own) expect(server.port).toBe(SUITE_PORTS[name])
    else expect(server.port).toBeGreaterThanOrEqual(FIRST_OWN_PORT)
    expect(server.summary).toMatch(/^[^\n]{10,160}$/)
    expect(server.instructions.length).toBeLessThan(2_000)
    expect(server.instructions.trim()).not.toBe('')
  })

  test('has a package that nobody can import', () => {
    const manifest = JSON.parse(read(name, 'package.json'))
    expect(manifest).toMatchObject({ name: `@story-portal/server-${name}`, private: true, type: 'module', exports: {} })
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  test('has a committed definition that is current', () => {
    expect(JSON.parse(read(name, 'tools.json'))).toEqual(JSON.parse(JSON.stringify(serverManifest(server))))
  })

  test('has a README: a few lines by hand and the table of its tools', () => {
    const readme = read(name, 'README.md')
    expect(readme).toContain(toolTable(serverManifest(server)).trim())
  })

  test('costs a client at most 3,000 tokens, or what is written for it', () => {
    const most = LARGER_LISTS[name] ?? MAX_LIST_BYTES
    expect(bytesOf({ tools: toolDefinitions(server) })).toBeLessThanOrEqual(most)
  })
})

test('ports and tool names are used once', () => {
  const ports = servers.map((server) => server.port)
  expect(ports).toEqual([...new Set(ports)])
  const names = tools.map(({ definition }) => definition.name)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})
