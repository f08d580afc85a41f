import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Config } from '@story-portal/shared/config'
import { isStoryPortalError } from '@story-portal/shared/errors'
import { callTool } from '../call.ts'
import type { Output } from '../output.ts'
import type { Imported, Source } from './imported.ts'
import { readSource } from './read-source.ts'

export interface ImportFlags {
  project?: string
  dryRun?: boolean
}

const SERVER = 'context-orchestrator'

/** `story-portal import`: makes task contexts of what another tool has kept. Run again, it makes none twice. */
export async function runImport(out: Output, config: Config, { place, ...flags }: ImportFlags & { place: string }) {
  const source = readSource(path.resolve(place))
  if (flags.dryRun) return report(out, source, { imported: 0, failed: [] })
  const project = flags.project === undefined ? {} : { project: flags.project }
  const call = (tool: string, args: Record<string, unknown>) => callTool(config, SERVER, tool, args)
  const before = (await call('list_task_contexts', { ...project, limit: 200 }).catch(() => ({ items: [] }))) as {
    items: Listed[]
  }
  const ids = new Map<string, string>()
  const failed: Source['skipped'] = []
  for (const [i, task] of source.tasks.entries()) {
    out.progress(`${i + 1} of ${source.tasks.length} ...`)
    try {
      ids.set(task.key, await importTask(call, task, { project, kind: source.kind }))
    } catch (error) {
      // One that can not be kept does not stop the others; a platform that is away does.
      if (!isStoryPortalError(error) || error.code !== 'INVALID_INPUT') throw error
      failed.push({ file: task.key, reason: error.message })
    }
  }
  await relate(call, source.tasks, ids)
  const current = before.items.find((item) => item.current)
  if (current) await call('switch_task', { task_id: current.task_id })
  out.progress('')
  report(out, source, { imported: ids.size, failed })
}

interface Listed {
  task_id: string
  current: boolean
}

type Call = (tool: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>

async function importTask(
  call: Call,
  task: Imported,
  { project, kind }: { project: object; kind: string },
): Promise<string> {
  const { title, updates, status } = task
  const mark = createHash('sha256')
    .update(JSON.stringify([kind, project, task.key, title, updates]))
    .digest('hex')
  const idempotency_key = `import/${mark}`
  const { task_id } = await call('create_task_context', { ...project, title, updates, idempotency_key })
  if (status !== 'active') await call('save_context_snapshot', { task_id, updates: {}, status })
  return String(task_id)
}

async function relate(call: Call, tasks: readonly Imported[], ids: ReadonlyMap<string, string>): Promise<void> {
  for (const { key, related } of tasks)
    for (const other of new Set(related)) {
      const [task_id, target_id] = [ids.get(key), ids.get(other)]
      if (task_id !== undefined && target_id !== undefined)
        await call('link_tasks', { task_id, relation: 'related_to', target_id })
    }
}

function report(
  out: Output,
  { kind, tasks, skipped }: Source,
  { imported, failed }: { imported: number; failed: Source['skipped'] },
) {
  const left = [...skipped, ...failed]
  const shown = tasks.map(({ key, title, status, updates }) => ({ key, title, status, parts: Object.keys(updates) }))
  const lines = [
    imported > 0
      ? `${imported} tasks are there now, from ${kind}.`
      : `${tasks.length} tasks would come from ${kind}; nothing was written.`,
    ...shown.slice(0, 20).map(({ title, status, parts }) => `  ${title} (${status}: ${parts.join(', ')})`),
    ...(shown.length > 20 ? [`  and ${shown.length - 20} more`] : []),
    ...left.map(({ file, reason }) => `  not taken: ${file}: ${reason}`),
  ]
  out.result({ kind, imported, tasks: shown, skipped: left }, lines.join('\n'))
}
