import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { startPostgres } from '../shared/testing/postgres.ts'
import { startRedis } from '../shared/testing/redis.ts'
import { count, type Report, summary, type Tally } from './test-report.ts'

interface Services {
  env: Record<string, string>
  missing: { name: 'Postgres' | 'Redis'; reason: string }[]
  stop(): Promise<void>
}

const say = (line: string) => process.stderr.write(`story-portal: ${line}\n`)
const allowMissing = process.env['STORY_PORTAL_TEST_SKIP_SERVICES'] === '1'
const filters = process.argv.slice(2)

const services = await startServices()
const { tally, ok } = await runVitest(services)
await services.stop()
report(services.missing, tally, ok)

async function startServices(): Promise<Services> {
  const env: Record<string, string> = {}
  const missing: Services['missing'] = []
  const stops: (() => Promise<void>)[] = []
  const start = async (
    name: 'Postgres' | 'Redis',
    variable: string,
    begin: typeof startPostgres | typeof startRedis,
  ) => {
    try {
      const service = await begin({ log: say })
      env[variable] = service.url
      stops.push(() => service.stop())
      say(`${name} is ready`)
    } catch (error) {
      missing.push({ name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  await start('Postgres', 'TEST_DATABASE_URL', startPostgres)
  await start('Redis', 'TEST_REDIS_URL', startRedis)
  if (allowMissing) env['STORY_PORTAL_TEST_WITHOUT'] = missing.map(({ name }) => name).join(',')
  return { env, missing, stop: async () => void (await Promise.all(stops.map((stop) => stop()))) }
}

async function runVitest(services: Services): Promise<{ tally: Tally; ok: boolean }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'story-portal-report-'))
  const file = path.join(dir, 'report.json')
  const args = ['run', ...filters, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  // Half of a suite can't reach the thresholds of the whole.
  if (filters.length === 0) args.push('--coverage')
  const code = await vitest(args, services.env)
  const text = await readFile(file, 'utf8').catch(() => undefined)
  await rm(dir, { recursive: true, force: true })
  if (text === undefined) return { tally: { passed: 0, failed: 1, skipped: 0 }, ok: false }
  const tally = count(JSON.parse(text) as Report)
  if (code !== 0 && tally.failed === 0)
    say('every test passed, but vitest reports an error: see above (coverage, or a late one)')
  return { tally, ok: code === 0 }
}

function vitest(args: string[], added: Record<string, string>): Promise<number> {
  // These decide the mode of the platform; tests choose it themselves and use the TEST_ ones.
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...inherited } = process.env
  const script = path.join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [script, ...args], {
    cwd: path.join(import.meta.dirname, '..'),
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...inherited, ...added },
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

function report(missing: Services['missing'], tally: Tally, ok: boolean): void {
  for (const { name, reason } of missing) {
    say(`NOT RUN: everything that needs a real ${name}, for there is none: ${reason}`)
    if (!allowMissing) tally.failed += 1
  }
  if (missing.length > 0 && !allowMissing) {
    say('set DATABASE_URL and REDIS_URL to servers made for tests, or STORY_PORTAL_TEST_SKIP_SERVICES=1 to do without')
  }
  process.stdout.write(`${summary(tally)}\n`)
  process.exitCode = ok && tally.failed === 0 ? 0 : 1
}
