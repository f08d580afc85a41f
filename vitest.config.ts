import { globSync, readFileSync } from 'node:fs'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'

/**
 * What a test file needs is read from what it imports, so that a new file runs in the right places without an entry here:
 * `pure` needs nothing, `database` runs on PGlite and again on PostgreSQL, `services` start servers of their own.
 */
function classify(): Record<'pure' | 'database' | 'services', string[]> {
  const files = { pure: [] as string[], database: [] as string[], services: [] as string[] }
  for (const file of globSync('{shared,servers,tools}/**/*.test.ts', { exclude: ['**/node_modules/**'] })) {
    const text = readFileSync(file, 'utf8')
    if (/\bstart(Postgres|Redis)\b/.test(text)) files.services.push(file)
    else if (
      /from '(@story-portal\/shared\/testing|(\.\.\/)+testing\/(index|open|database)\.ts|\.\/(open|database)\.ts)'/.test(
        text,
      )
    )
      files.database.push(file)
    else files.pure.push(file)
  }
  return files
}

/** Services that `npm test` could not start and was told to do without: what starts them is left out, and it says so. */
const absent = (process.env['STORY_PORTAL_TEST_WITHOUT'] ?? '').split(',').filter(Boolean)

function possible(files: string[]): string[] {
  return files.filter((file) => !absent.some((service) => readFileSync(file, 'utf8').includes(`start${service}`)))
}

const { pure, database, services } = classify()
const platforms = globSync('test/{integration,e2e,chaos,protocol,security}/**/*.test.ts')

interface ProjectOptions {
  name: string
  include: string[]
  env?: Record<string, string>
  globalSetup?: string[]
  /** Order in which projects run; those with the same number share the workers. */
  order: number
  workers: number
  timeout: number
}

function project({
  name,
  include,
  order,
  workers,
  timeout,
  env,
  globalSetup,
}: ProjectOptions): TestProjectConfiguration {
  return {
    test: {
      name,
      include,
      pool: 'forks',
      testTimeout: timeout,
      hookTimeout: timeout,
      // The default second is shorter than a busy machine takes to start a process.
      expect: { poll: { timeout: timeout / 2 } },
      maxWorkers: workers,
      sequence: { groupOrder: order },
      ...(env ? { env } : {}),
      ...(globalSetup ? { globalSetup } : {}),
    },
  }
}

const asked =
  process.env['TEST_DATABASE_URL'] !== undefined || process.argv.some((arg) => /^(--project=)?postgres$/.test(arg))

export default defineConfig({
  test: {
    // Windows of patience, not measurements: this must also pass on a busy machine with two cores.
    projects: [
      project({ name: 'unit', include: pure, order: 0, workers: 2, timeout: 20_000 }),
      project({
        name: 'embedded',
        include: database,
        order: 1,
        workers: 2,
        timeout: 60_000,
        env: { TEST_DATABASE_URL: '' },
      }),
      // Only when a server is there or asked for: whoever runs one file while writing it should not wait for another database.
      ...(asked
        ? [
            project({
              name: 'postgres',
              include: database,
              order: 2,
              workers: 2,
              timeout: 60_000,
              globalSetup: ['shared/testing/global-postgres.ts'],
            }),
          ]
        : []),
      project({ name: 'services', include: possible(services), order: 3, workers: 2, timeout: 120_000 }),
      project({ name: 'contract', include: ['test/contract/**/*.test.ts'], order: 4, workers: 2, timeout: 60_000 }),
      project({
        name: 'integration',
        include: possible(platforms),
        order: 5,
        // Whole platforms run here, several processes each: one after the other on two cores.
        workers: 1,
        timeout: 300_000,
      }),
    ],
    coverage: {
      provider: 'v8',
      include: ['shared/**/*.ts', 'servers/**/*.ts'],
      exclude: ['**/*.test.ts', 'shared/testing/**', 'shared/mcp/generated/**'],
      reporter: ['text-summary', 'json-summary', 'html'],
      thresholds: {
        lines: 85,
        'shared/engine/**': { lines: 90 },
        'shared/events/**': { lines: 90 },
        'servers/tool-execution/sandbox/**': { lines: 90 },
      },
    },
  },
})
