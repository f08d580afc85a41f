import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { OWN_SETTINGS, sampleProject } from './sample-project.ts'
import { plainEnv, root, run } from './under-test.ts'

const EVENTS = ['SessionStart', 'PreCompact', 'PostToolUse', 'Stop', 'SessionEnd']
const all = (state: string) => Object.fromEntries(EVENTS.map((event) => [event, state]))

/** Nothing is started here: installing needs no platform. */
describe('story-portal hooks', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'story-portal-hooks-'))
  const user = mkdtempSync(path.join(os.tmpdir(), 'story-portal-user-'))
  const env = { ...plainEnv(), STORY_PORTAL_HOME: home, HOME: user }
  afterAll(() => {
    for (const folder of [home, user]) rmSync(folder, { recursive: true, force: true })
  })
  const hooks = async (cwd: string, ...args: string[]) =>
    run([path.join(root, 'tools/story-portal.js'), 'hooks', ...args, '--json'], env, { cwd })

  let it: ReturnType<typeof sampleProject>
  const text = () => readFileSync(it.settings, 'utf8')
  beforeEach(() => {
    it = sampleProject()
    return () => it.dispose()
  })

  test('install merges into settings of the git root, twice is once, uninstall gives back every byte and the mode', async () => {
    chmodSync(it.settings, 0o640)
    expect(await hooks(it.folder, 'status')).toMatchObject({ code: 1, json: { events: all('absent') } })
    const below = path.join(it.folder, 'src')
    expect((await hooks(below, 'install', '--dry-run')).json).toMatchObject({ changed: true, dry_run: true })
    expect(text()).toBe(OWN_SETTINGS)

    const installed = await hooks(below, 'install')
    expect(installed).toMatchObject({
      code: 0,
      json: { settings: it.settings, changed: true, events: all('installed') },
    })
    const after = text()
    for (const line of OWN_SETTINGS.split('\n').filter((line) =>
      /permissions|env|echo done|PreToolUse|something/.test(line),
    ))
      expect(after).toContain(line)
    const { hooks: written } = JSON.parse(after) as { hooks: Record<string, { matcher?: string }[]> }
    expect(Object.fromEntries(Object.entries(written).map(([event, groups]) => [event, groups.length]))).toEqual({
      ...{ Stop: 2, PreToolUse: 1, SessionStart: 1, PreCompact: 1, PostToolUse: 1, SessionEnd: 1 },
    })
    expect(written['PostToolUse']?.[0]?.matcher).toBe('Edit|Write|MultiEdit|NotebookEdit')

    expect((await hooks(it.folder, 'install')).json).toMatchObject({ changed: false, events: all('installed') })
    expect(text()).toBe(after)
    expect(await hooks(it.folder, 'status')).toMatchObject({ code: 0, json: { events: all('installed') } })

    expect((await hooks(it.folder, 'uninstall', '--dry-run')).json).toMatchObject({ changed: true, dry_run: true })
    expect(text()).toBe(after)
    expect((await hooks(it.folder, 'uninstall')).json).toMatchObject({ changed: true, events: all('absent') })
    expect(text()).toBe(OWN_SETTINGS)
    expect(statSync(it.settings).mode & 0o777).toBe(0o640)
    expect((await hooks(it.folder, 'uninstall')).json).toMatchObject({ changed: false })
    expect(readdirSync(path.dirname(it.settings))).toEqual(['settings.json'])
  })

  test.each([null, '{}', '{ "hooks": { "Stop": [ ] } }\r\n'])('what was there comes back: %j', async (before) => {
    const other = sampleProject(before)
    onTestFinished(() => other.dispose())
    if (before === null) await hooks(it.folder, 'uninstall', '--project', other.folder)
    for (const at of ['install', 'install', 'uninstall']) {
      expect(await hooks(it.folder, at, '--project', other.folder)).toMatchObject({ code: 0 })
    }
    expect(existsSync(path.dirname(other.settings))).toBe(before !== null)
    if (before !== null) expect(readFileSync(other.settings, 'utf8')).toBe(before)
    expect(text()).toBe(OWN_SETTINGS)
  })

  test('what was changed since stays: another key, a hook edited by hand, which is not doubled either', async () => {
    await hooks(it.folder, 'install')
    const edited = text()
      .replace('"somethingNew"', '"model": "opus",\n    "somethingNew"')
      .replace(' stop; fi"', ' stop; fi # mine"')
    writeFileSync(it.settings, edited)
    const again = await hooks(it.folder, 'install')
    expect(again.json).toMatchObject({ changed: false, events: { ...all('installed'), Stop: 'edited' } })
    expect(text()).toBe(edited)
    expect((await hooks(it.folder, 'uninstall')).json.events).toEqual({ ...all('absent'), Stop: 'edited' })
    const left = JSON.parse(text())
    expect(left.model).toBe('opus')
    expect(Object.keys(left.hooks)).toEqual(['Stop', 'PreToolUse'])
    expect(left.hooks.Stop[1].hooks[0].command).toMatch(/# mine$/)
  })

  test('without its record, as after a lost data directory, uninstall still takes away what is ours', async () => {
    await hooks(it.folder, 'install')
    rmSync(path.join(home, 'hooks'), { recursive: true })
    expect((await hooks(it.folder, 'install')).json).toMatchObject({ changed: false })
    await hooks(it.folder, 'uninstall')
    expect(text()).toBe(OWN_SETTINGS)
  })

  test('--local and --user are other files; --user and --project do not go together', async () => {
    const local = path.join(it.folder, '.claude/settings.local.json')
    expect((await hooks(it.folder, 'install', '--local')).json.settings).toBe(local)
    expect((await hooks(it.folder, 'install', '--user')).json.settings).toBe(path.join(user, '.claude/settings.json'))
    expect(text()).toBe(OWN_SETTINGS)
    await hooks(it.folder, 'uninstall', '--local')
    await hooks(it.folder, 'uninstall', '--user')
    expect([existsSync(local), existsSync(path.join(user, '.claude'))]).toEqual([false, false])
    expect(await hooks(it.folder, 'status', '--user', '--project', '.')).toMatchObject({ code: 2 })
    expect(await hooks(it.folder, 'status', '--project', 'nowhere')).toMatchObject({
      code: 2,
      json: { error: { number: 'E0299' } },
    })
  })

  test('a link within the project is followed and stays; one that leads out, or nowhere, is refused', async () => {
    const target = path.join(it.folder, 'src/claude.json')
    writeFileSync(target, OWN_SETTINGS)
    unlinkSync(it.settings)
    symlinkSync('../src/claude.json', it.settings)
    expect((await hooks(it.folder, 'install')).json).toMatchObject({ settings: target, changed: true })
    await hooks(it.folder, 'uninstall')
    expect(readFileSync(target, 'utf8')).toBe(OWN_SETTINGS)

    const outside = path.join(user, 'outside.json')
    writeFileSync(outside, '{}')
    for (const to of [outside, 'nowhere.json']) {
      unlinkSync(it.settings)
      symlinkSync(to, it.settings)
      expect(await hooks(it.folder, 'install')).toMatchObject({ code: 1, json: { error: { number: 'E0296' } } })
    }
    expect(readFileSync(outside, 'utf8')).toBe('{}')
    rmSync(path.dirname(it.settings), { recursive: true })
    mkdirSync(path.join(user, 'elsewhere'))
    symlinkSync(path.join(user, 'elsewhere'), path.dirname(it.settings))
    expect((await hooks(it.folder, 'install')).json.error.number).toBe('E0296')
    expect(readdirSync(path.join(user, 'elsewhere'))).toEqual([])
  })

  test.each([
    ['{"model": "x",}', 'E0294'],
    ['{"hooks": {"Stop": "echo"}}', 'E0295'],
  ])('settings that can not be merged are left as they are: %s', async (broken, number) => {
    writeFileSync(it.settings, broken)
    for (const command of ['install', 'uninstall', 'status']) {
      const refused = await hooks(it.folder, command)
      expect(refused).toMatchObject({ code: 1, json: { error: { number, code: 'INVALID_INPUT' } } })
      expect(refused.stdout).not.toContain('Unexpected')
    }
    expect(text()).toBe(broken)
    expect(readdirSync(path.dirname(it.settings))).toEqual(['settings.json'])
  })

  test('five installs at once leave settings that are whole, with each hook once', async () => {
    const ends = await Promise.all(Array.from({ length: 5 }, () => hooks(it.folder, 'install')))
    for (const { code, json } of ends) if (code !== 0) expect(json.error.number).toBe('E0298')
    expect(ends.some(({ code }) => code === 0)).toBe(true)
    const { hooks: written } = JSON.parse(text())
    expect(written.SessionStart).toHaveLength(1)
    await hooks(it.folder, 'uninstall')
    expect(text()).toBe(OWN_SETTINGS)
  })
})
