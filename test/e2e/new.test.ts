import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { copyOfRepository } from './copy-of-repository.ts'
import { plainEnv, root, run } from './under-test.ts'

describe('a new server and tool', () => {
  let copy: string
  beforeAll(() => {
    copy = copyWithHistory()
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  const script = (...args: string[]) => run(args, plainEnv(), { cwd: copy })
  const file = (name: string) => path.join(copy, 'servers/weather-station', name)

  test('come with one failing test and are known everywhere without another edit', async () => {
    expect(await script('tools/new.ts', 'server', 'weather-station')).toMatchObject({ code: 0 })
    expect(await script('tools/new.ts', 'tool', 'weather-station', 'get-forecast')).toMatchObject({ code: 0 })
    const { mcpServers } = JSON.parse(readFileSync(path.join(copy, '.mcp.json'), 'utf8'))
    expect(mcpServers['weather-station']).toEqual({ command: 'node', args: ['tools/mcp.js', 'weather-station'] })
    expect(readFileSync(path.join(copy, 'README.md'), 'utf8')).toContain('servers/weather-station/README.md')
    expect(JSON.parse(readFileSync(file('tools.json'), 'utf8'))).toMatchObject({ port: 15, tools: [{}] })
    const help = await script('tools/story-portal.js', 'weather-station', 'get-forecast', '--help')
    expect(help.stdout).toContain('--text')

    const failing = await vitest('servers/weather-station')
    expect(failing.code).toBe(1)
    expect(failing.stdout).toContain('1 failed')
  })

  test('pass the whole check once that test says what the tool answers', async () => {
    const written = readFileSync(file('tools/get-forecast.test.ts'), 'utf8')
    writeFileSync(file('tools/get-forecast.test.ts'), written.replace(/'replace this [^']*'/, "'hello'"))
    expect(await vitest('servers/weather-station')).toMatchObject({ code: 0 })
    const check = await script('tools/check.ts')
    expect([check.code, check.stdout.match(/^FAILED[\s\S]*/m)?.[0]]).toEqual([0, undefined])
  })

  test('a server of the suite gets the number that is kept for it, and nobody else does', async () => {
    expect(await script('tools/new.ts', 'server', 'model-gateway')).toMatchObject({ code: 0 })
    const made = JSON.parse(readFileSync(path.join(copy, 'servers/model-gateway/tools.json'), 'utf8'))
    expect(made.port).toBe(4)
    const refused = await script('tools/new.ts', 'server', 'other', '--port', '9')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('Port number 9 belongs to api-gateway.')
  })

  test('names that are taken or no names are refused and write nothing', async () => {
    const before = readdirSync(path.join(copy, 'servers'))
    for (const args of [
      ['server', 'weather-station'],
      ['server', 'Weather'],
      ['server', '../x'],
      ['tool', 'nowhere', 'get-x'],
      ['tool', 'weather-station', 'create-goal'],
      ['tool', 'weather-station', 'forecast'],
      ['server', 'other', '--port', '5'],
    ]) {
      const { code, stderr } = await script('tools/new.ts', ...args)
      expect([args, code]).toEqual([args, 2])
      expect(stderr).toContain('Usage: npm run new:server')
    }
    expect(readdirSync(path.join(copy, 'servers'))).toEqual(before)
  })

  const vitest = (...args: string[]) => script(path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args)
})

/** A repository of its own: the check asks git. */
function copyWithHistory(): string {
  const copy = copyOfRepository('new')
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], { cwd: copy })
  git('init', '--quiet')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'copy')
  return copy
}
