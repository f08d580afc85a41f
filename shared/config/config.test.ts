import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toErrorBody } from '../errors/index.ts'
import { ConfigError, examineConfig, loadConfig, makeDirectory, nearest, SETTINGS, watchConfig } from './index.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'story-portal-config-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function faults(env: Record<string, string>): Record<string, string> {
  try {
    loadConfig({ env, root })
  } catch (error) {
    if (error instanceof ConfigError) {
      return Object.fromEntries(error.faults.map((f) => [f.path, [f.message, f.hint].filter(Boolean).join('; ')]))
    }
    throw error
  }
  return {}
}

const file = (content: unknown) =>
  writeFileSync(path.join(root, 'config.json'), typeof content === 'string' ? content : JSON.stringify(content))

test('nothing set: everything has its default, the mode is embedded', () => {
  const config = loadConfig({ env: {}, root })
  expect(config).toMatchObject({
    home: path.join(root, '.story-portal'),
    mode: 'embedded',
    host: '127.0.0.1',
    portBase: 8000,
    redis: undefined,
    engine: { leaseMs: 30_000 },
    db: { fsync: true, idleTransactionMs: 5000 },
  })
})

test('DATABASE_URL alone decides the mode', () => {
  expect(loadConfig({ env: { REDIS_URL: 'redis://localhost' }, root }).mode).toBe('embedded')
  const config = loadConfig({ env: { DATABASE_URL: 'postgresql://user:secret@db/x' }, root })
  expect(config.mode).toBe('distributed')
  expect(config.db.migrationUrl).toBe('postgresql://user:secret@db/x')
})

test('a relative home starts at the clone, not at the current directory; an absolute one and ~ stand', () => {
  const home = (value: string) => loadConfig({ env: { STORY_PORTAL_HOME: value }, root }).home
  expect(home('data/here')).toBe(path.join(root, 'data/here'))
  expect(home('/var/story')).toBe('/var/story')
  expect(home('~/story')).not.toContain('~')
})

test('every bad name is listed with its reason, and no value is shown', () => {
  const env = {
    STORY_PORTAL_PORT_BASE: '70000000',
    STORY_PORTAL_LEASE_MS: 'soon',
    STORY_PORTAL_LOG_LEVEL: 'loud',
    STORY_PORTAL_DB_FSYNC: 'perhaps',
    STORY_PORTAL_SERVICE_KEY: 'tooshortsecret',
    DATABASE_URL: 'mysql://root:hunter2@db/x',
    REDIS_URL: 'hunter3',
    STORY_PORTAL_URL_PLANNING: 'hunter4',
  }
  expect(faults(env)).toEqual({
    STORY_PORTAL_PORT_BASE: 'must be a whole number from 1 to 65436',
    STORY_PORTAL_LEASE_MS: 'must be a whole number from 500 to 3600000',
    STORY_PORTAL_LOG_LEVEL: 'must be one of fatal, error, warn, info, debug, trace, silent',
    STORY_PORTAL_DB_FSYNC: 'must be true or false',
    STORY_PORTAL_SERVICE_KEY: 'must have at least 32 characters',
    DATABASE_URL: 'must be a URL that begins with postgres:// or postgresql://',
    REDIS_URL: 'must be a URL that begins with redis:// or rediss://',
    STORY_PORTAL_URL_PLANNING: 'must be a URL that begins with http:// or https://',
  })
  try {
    loadConfig({ env, root })
    expect.unreachable()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const shown = error.report() + JSON.stringify(toErrorBody(error))
    for (const value of Object.values(env)) expect(shown).not.toContain(value)
    expect(error.exitCode).toBe(78)
    expect(toErrorBody(error).error).toMatchObject({ code: 'INVALID_INPUT', number: 'E0201' })
  }
})

test('an unknown STORY_PORTAL_ name is a mistake, with a guess; names of others are none of our business', () => {
  expect(
    faults({ STORY_PORTAL_LOGLEVEL: 'x', STORY_PORTAL_XQZWV: '1', PATH: '/bin', STORY_PORTAL_INTERNAL_X: '1' }),
  ).toEqual({
    STORY_PORTAL_LOGLEVEL: 'is not a setting; did you mean STORY_PORTAL_LOG_LEVEL?',
    STORY_PORTAL_XQZWV: 'is not a setting',
  })
})

test('a diagnosis goes on with the presets of what can not be used, and names it', () => {
  const { config, faults: found } = examineConfig({
    env: {
      STORY_PORTAL_LEASE_MS: 'soon',
      STORY_PORTAL_PORT_BASE: '9000',
      DATABASE_URL: 'x',
      STORY_PORTAL_LOGLEVEL: 'x',
    },
    root,
  })
  expect(config).toMatchObject({ portBase: 9000, mode: 'embedded', engine: { leaseMs: 30_000 } })
  expect(found.map((fault) => fault.path).sort()).toEqual([
    'DATABASE_URL',
    'STORY_PORTAL_LEASE_MS',
    'STORY_PORTAL_LOGLEVEL',
  ])
})

test('a directory is made with those above it, or refused at once with the reason of the file system', () => {
  const dir = path.join(root, 'a', 'b')
  makeDirectory(dir)
  makeDirectory(dir)
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  writeFileSync(path.join(root, 'file'), '')
  expect(() => makeDirectory(path.join(root, 'file'))).toThrow('EEXIST')
  expect(() => makeDirectory(path.join(root, 'file', 'x'))).toThrow()
  if (process.platform === 'linux') expect(() => makeDirectory('/proc/nowhere/x')).toThrow('ENOENT')
})

test('an empty variable is as good as none', () => {
  expect(loadConfig({ env: { DATABASE_URL: '', STORY_PORTAL_LEASE_MS: '' }, root })).toMatchObject({
    mode: 'embedded',
    engine: { leaseMs: 30_000 },
  })
})

test('config.json in the home is read, and the environment wins', () => {
  file({ port_base: 9000, engine: { lease_ms: 2000 }, log: { level: 'debug' } })
  const config = loadConfig({ env: { STORY_PORTAL_HOME: '.', STORY_PORTAL_LOG_LEVEL: 'warn' }, root })
  expect(config).toMatchObject({ portBase: 9000, engine: { leaseMs: 2000 }, log: { level: 'warn' } })
})

test('a bad config.json is a fault of the configuration like any other', () => {
  const env = { STORY_PORTAL_HOME: '.' }
  file('{ not json')
  expect(faults(env)).toEqual({ 'config.json': 'is not valid JSON' })
  file([])
  expect(faults(env)).toEqual({ 'config.json': 'must be an object' })
  file({ engine: { lease_msec: 1, lease_ms: [] }, zzzzzz: '/x' })
  expect(faults(env)).toEqual({
    'config.json engine.lease_msec': 'is not a setting; did you mean engine.lease_ms?',
    'config.json zzzzzz': 'is not a setting',
    STORY_PORTAL_LEASE_MS: 'must be a whole number from 500 to 3600000',
  })
})

test('server addresses are found by server name', () => {
  const env = { STORY_PORTAL_URL_TOOL_EXECUTION: 'http://10.0.0.2:8003/' }
  expect(loadConfig({ env, root }).urls).toEqual({ 'tool-execution': 'http://10.0.0.2:8003' })
})

test('SIGHUP takes over what can be changed in flight, names what can not, and survives a mistake', () => {
  const env: Record<string, string> = { STORY_PORTAL_HOME: '.' }
  const config = loadConfig({ env, root })
  const seen: unknown[] = []
  const watcher = watchConfig(
    config,
    { env, root },
    {
      change: ({ changed, restart }) => void seen.push({ changed, restart }),
      error: (error) => void seen.push(error.faults.map((fault) => fault.path)),
    },
  )
  file({ log: { level: 'debug' }, mcp: { max_depth: 10 }, port_base: 9000 })
  process.emit('SIGHUP')
  file({ log: { level: 'no such' } })
  watcher.reload()
  watcher.stop()
  expect(process.listenerCount('SIGHUP')).toBe(0)
  expect(seen).toEqual([
    { changed: ['mcp.max_depth', 'log.level'], restart: ['port_base'] },
    ['STORY_PORTAL_LOG_LEVEL'],
  ])
  expect(config).toMatchObject({ log: { level: 'debug' }, mcp: { maxDepth: 10 }, portBase: 8000 })
})

test('every setting says what it is, and secrets are marked', () => {
  for (const [name, setting] of Object.entries(SETTINGS)) {
    expect(setting.about, name).toMatch(/^[A-Z].{10,200}\.$/)
    expect('secret' in setting, name).toBe(/_URL$|_KEY$/.test(name))
  }
})

test('a guess is near or absent', () => {
  expect(nearest('STORY_PORTAL_HOEM', Object.keys(SETTINGS))).toBe('STORY_PORTAL_HOME')
  expect(nearest('zzzzzz', Object.keys(SETTINGS))).toBeUndefined()
})
