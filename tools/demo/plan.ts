import type { Repository } from './repository.ts'

/** A tool that a client registers: the body of an async function with `input` in scope, run in the sandbox without any right. */
export const STATISTICS_TOOL = {
  name: 'demo_repository_statistics',
  version: '1.0.0',
  description: 'Adds up a list of files by folder and kind, and names the largest.',
  input_schema: {
    type: 'object',
    properties: {
      files: {
        type: 'array',
        items: {
          type: 'object',
          properties: { path: { type: 'string' }, bytes: { type: 'integer' }, lines: { type: 'integer' } },
          required: ['path', 'bytes', 'lines'],
        },
      },
    },
    required: ['files'],
  },
  source: {
    type: 'javascript',
    code: `
      const sum = { files: 0, lines: 0, bytes: 0 }
      const folders = {}
      for (const file of input.files) {
        const folder = file.path.includes('/') ? file.path.split('/')[0] + '/' : '(root)'
        const entry = (folders[folder] ??= { folder, files: 0, lines: 0 })
        entry.files += 1; entry.lines += file.lines
        sum.files += 1; sum.lines += file.lines; sum.bytes += file.bytes
      }
      const largest = [...input.files].sort((a, b) => b.bytes - a.bytes)[0]
      return { ...sum, largest: largest.path, folders: Object.values(folders).sort((a, b) => b.lines - a.lines) }
    `,
  },
}

/** Millions of seeded random walks over the import graph: a real ranking, long enough to be killed, the same each time. */
const RANK_CODE = `
  const { files, imports } = input
  const next = files.map(() => [])
  for (const [from, to] of imports) next[from].push(to)
  const visits = new Array(files.length).fill(0)
  let seed = 42, at = 0
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 4294967296
  for (let step = 0; step < input.steps; step++) {
    const out = next[at]
    at = out.length === 0 || random() < 0.15 ? Math.floor(random() * files.length) : out[Math.floor(random() * out.length)]
    visits[at] += 1
  }
  return visits
    .map((count, i) => ({ path: files[i], share: Math.round((1000 * count) / input.steps) / 10 }))
    .sort((a, b) => b.share - a.share)
    .slice(0, 5)
`

/** Fails on its first two tries, as a service does that is still starting; it looks its own tries up through a granted tool. */
const UNSTEADY_CODE = `
  const { tasks } = await tools.planning.get_plan({ plan_id: (await tools.planning.list_plans({ goal_id: input.goal_id })).items[0].id })
  const failed = tasks.find((task) => task.key === 'tests').attempts
  if (failed < 2) throw new Error('the index is still being built')
  const tests = input.files.filter((file) => file.path.endsWith('.test.ts'))
  return { test_files: tests.length, lines: tests.reduce((sum, file) => sum + file.lines, 0) }
`

const REPORT_CODE = `
  const { totals, ranking, tests, review } = input
  return {
    repository: totals.files + ' files, ' + totals.lines + ' lines, the largest is ' + totals.largest,
    biggest_folders: totals.folders.slice(0, 4).map((f) => f.folder + ' ' + f.lines + ' lines').join(', '),
    tests: tests.test_files + ' test files, ' + tests.lines + ' lines',
    most_imported: ranking.slice(0, 3).map((r) => r.path + ' (' + r.share + ' %)').join(', '),
    advice: review.advice,
  }
`

/** The plan of the demo: five tasks, one of every kind that needs no model. */
export function demoPlan(goalId: string, repository: Repository) {
  return {
    goal_id: goalId,
    name: 'Know this repository',
    input: { ...repository, paths: repository.files.map((file) => file.path), goal_id: goalId },
    tasks: [
      { key: 'totals', kind: 'tool', tool: STATISTICS_TOOL.name, input: { files: '{{plan.input.files}}' } },
      {
        key: 'ranking',
        kind: 'code',
        code: RANK_CODE,
        input: { files: '{{plan.input.paths}}', imports: '{{plan.input.imports}}', steps: 60_000_000 },
        retry: { max_attempts: 3, backoff_ms: 200 },
      },
      {
        key: 'tests',
        kind: 'code',
        code: UNSTEADY_CODE,
        permissions: { tools: ['planning.list_plans', 'planning.get_plan'] },
        input: { files: '{{plan.input.files}}', goal_id: '{{plan.input.goal_id}}' },
        retry: { max_attempts: 3, backoff_ms: 300, factor: 1 },
      },
      {
        key: 'review',
        kind: 'assistant',
        depends_on: ['totals', 'ranking', 'tests'],
        instructions: 'Say in one sentence what a newcomer should open first, and why.',
        input: { totals: '{{tasks.totals.output}}', ranking: '{{tasks.ranking.output}}' },
      },
      {
        key: 'report',
        kind: 'code',
        code: REPORT_CODE,
        depends_on: ['totals', 'ranking', 'tests', 'review'],
        input: {
          totals: '{{tasks.totals.output}}',
          ranking: '{{tasks.ranking.output}}',
          tests: '{{tasks.tests.output}}',
          review: '{{tasks.review.output}}',
        },
      },
    ],
  }
}
