import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { editor } from '../../e2e/editor.ts'
import { sampleProject } from '../../e2e/sample-project.ts'
import { root, run, underTest } from '../../e2e/under-test.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'
import { quantile } from '../median.ts'

/** Per round; all rounds together give the quantiles. */
const RUNS = 20
const TARGET_MS = 150

/** An editor's event to the end of its hook, by the command in its settings, beside a Node that does nothing. */
const hooks: Benchmark = {
  async run({ rounds, log, defer }): Promise<Measurement[]> {
    const platform = await underTest()
    defer(() => platform.dispose())
    const project = sampleProject()
    defer(async () => project.dispose())
    log('starting a platform')
    for (const args of [['up'], ['hooks', 'install', '--project', project.folder]]) {
      const { code, stderr } = await platform.cli(...args)
      if (code !== 0) throw new Error(`story-portal ${args.join(' ')} fails: ${stderr}`)
    }
    await saveSomething(platform.env, project.folder)
    const events = editorEvents(project)
    const ms: Record<string, number[]> = {}
    for (let i = 0; i < rounds * RUNS; i++) {
      const session = editor(project, `session ${i}`)
      for (const [name, happens] of Object.entries(events)) {
        ms[name] = [...(ms[name] ?? []), await timed(() => happens(session, i))]
      }
      ms['bare'] = [...(ms['bare'] ?? []), await timed(bareNode)]
    }
    return Object.keys(events).flatMap((name) =>
      [0.5, 0.95].map((q) => ({
        job: `hook at ${name}, whole process, p${q * 100}`,
        value: quantile(ms[name] ?? [], q),
        unit: 'ms',
        better: 'lower' as const,
        peer: { name: 'node -e 0', value: quantile(ms['bare'] ?? [], q) },
        ...(q === 0.95 ? { target: TARGET_MS } : {}),
      })),
    )
  },
}

export default hooks

type Session = ReturnType<typeof editor>

/** What happens in each of the sessions, in this order. */
function editorEvents(
  project: ReturnType<typeof sampleProject>,
): Record<string, (editor: Session, i: number) => unknown> {
  const file = path.join(project.folder, 'src/parser.ts')
  return {
    SessionStart: async (tell) => {
      const { context } = await tell('SessionStart', { source: 'startup' })
      if (!context?.includes('Next action')) throw new Error('the hook gave no context')
    },
    PostToolUse: async (tell, i) => {
      writeFileSync(file, `export const parser = ${i}\n`)
      await tell('PostToolUse', { tool_name: 'Edit', tool_input: { file_path: file } })
    },
    Stop: (tell) => tell('Stop'),
    PreCompact: (tell) => tell('PreCompact', { trigger: 'auto' }),
    SessionEnd: (tell) => tell('SessionEnd', { reason: 'other' }),
  }
}

async function saveSomething(env: Record<string, string>, cwd: string): Promise<void> {
  const updates = {
    goal: 'Move the parser',
    next_action: 'Run the tests of the lexer',
    decisions: Array.from({ length: 100 }, (_, i) => ({ decision: `decision ${i}`, reason: 'x'.repeat(100) })),
  }
  const args = ['call', 'context-orchestrator', 'save_context_snapshot', JSON.stringify({ updates })]
  const { code, stderr } = await run([path.join(root, 'tools/story-portal.js'), ...args], env, { cwd })
  if (code !== 0) throw new Error(`nothing was saved: ${stderr}`)
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function bareNode(): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, ['-e', '0'], { stdio: 'pipe' })
      .once('error', reject)
      .once('close', () => resolve())
  })
}
