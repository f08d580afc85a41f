import type { Output } from '../cli/output.ts'

export interface Task {
  id: string
  key: string
  kind: string
  status: string
  attempts: number
  output: unknown
  ready_at?: string
  started_at?: string
  finished_at?: string
}

export interface StoredEvent {
  position: string
  version: number
  time: string
  type: string
  actor?: string
  data: { record?: Record<string, unknown>; changes?: Record<string, { from: unknown; to: unknown }>; reason?: string }
}

const WIDTH = 28

interface Row {
  task: Task
  /** The events of tries that failed. */
  failures: StoredEvent[]
}

/** One line per task: when it worked, between the plan's first and last moment, and what its tries met. */
export function timeline(rows: readonly Row[], style: Output['style']): string {
  const begin = Math.min(...rows.map(({ task }) => at(task.ready_at ?? task.started_at)))
  const end = Math.max(...rows.map(({ task }) => at(task.finished_at)))
  const column = (time: number) => Math.round(((time - begin) / Math.max(1, end - begin)) * WIDTH)
  return [...rows]
    .sort((a, b) => at(a.task.finished_at) - at(b.task.finished_at))
    .map(({ task, failures }) => {
      const from = Math.min(column(at(task.ready_at ?? task.started_at)), WIDTH - 1)
      const to = Math.max(from + 1, column(at(task.finished_at)))
      const bar = ' '.repeat(from) + style('green', '='.repeat(to - from)) + ' '.repeat(WIDTH - to)
      const seconds = `${((at(task.finished_at) - begin) / 1000).toFixed(1)} s`.padStart(7)
      return `  ${task.key.padEnd(8)} ${task.kind.padEnd(9)} |${bar}| ${seconds}  ${task.status}${tries(task, failures)}`
    })
    .join('\n')
}

function tries({ attempts }: Task, failures: readonly StoredEvent[]): string {
  if (failures.length === 0) return ''
  const reasons = failures.map(({ data }) =>
    String((data.changes?.['error']?.to as { message?: string })?.message ?? 'failed'),
  )
  const short = [...new Set(reasons)].map((reason) => (reason.length > 70 ? `${reason.slice(0, 69)}\u2026` : reason))
  return ` on try ${Math.max(attempts, failures.length + 1)} (before: ${short.join('; ')})`
}

/** Every event of one record: when, what, by whom, and what it changed. */
export function history(events: readonly StoredEvent[]): string {
  return events
    .map(({ version, time, type, actor, data }) => {
      const changes = Object.entries(data.changes ?? {}).filter(([name]) => !/^(version|updated_at)$/.test(name))
      const what = changes.map(([name, { from, to }]) => `${name} ${shortly(from)} -> ${shortly(to)}`).join(', ')
      return `  ${String(version).padStart(3)}  ${time.slice(11, 23)}  ${type.padEnd(13)} ${(actor ?? '').padEnd(14)} ${what}`.trimEnd()
    })
    .join('\n')
}

function shortly(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 39)}\u2026` : text
}

const at = (time: string | undefined) => (time === undefined ? Number.NaN : Date.parse(time))
