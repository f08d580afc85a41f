import type { Output } from '../cli/output.ts'
import type { Kill } from './sandbox-process.ts'

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
  /** Its process was killed then. */
  kill: Kill | undefined
}

/** One line per task: when it worked, between the plan's first and last moment, and what its tries met. */
export function timeline(rows: readonly Row[], style: Output['style']): string {
  const begin = Math.min(...rows.map(({ task }) => at(task.started_at)))
  const end = Math.max(...rows.map(({ task }) => at(task.finished_at)))
  const column = (time: number) => Math.round(((time - begin) / Math.max(1, end - begin)) * WIDTH)
  return [...rows]
    .sort((a, b) => at(a.task.finished_at) - at(b.task.finished_at))
    .map((row) => {
      const { task } = row
      const from = Math.min(column(at(task.started_at)), WIDTH - 1)
      const to = Math.max(from + 1, column(at(task.finished_at)))
      const bar = ' '.repeat(from) + style('green', '='.repeat(to - from)) + ' '.repeat(WIDTH - to)
      const seconds = `${((at(task.finished_at) - begin) / 1000).toFixed(1)} s`.padStart(7)
      return `  ${task.key.padEnd(8)} ${task.kind.padEnd(9)} |${bar}| ${seconds}  ${task.status}${remark(row, begin)}`
    })
    .join('\n')
}

function remark({ task, failures, kill }: Row, begin: number): string {
  if (kill) return `; its process was killed at ${((kill.at - begin) / 1000).toFixed(1)} s, a fresh one did the work`
  if (failures.length === 0) return task.kind === 'assistant' ? ' by this client' : ''
  const reasons = failures.map(({ data }) => {
    const error = data.changes?.['error']?.to as { message?: string } | undefined
    return error?.message?.replace('The code threw Error: ', '') ?? 'it failed'
  })
  return ` on try ${failures.length + 1}; before: ${[...new Set(reasons)].join(', ')}`
}

const FIELDS = ['title', 'status', 'result']

/** Every event of one record: when, what, by whom, and what it changed. */
export function history(events: readonly StoredEvent[]): string {
  return events
    .map(({ version, time, type, actor, data }) => {
      const changes = FIELDS.flatMap((field) => {
        const change = data.changes?.[field]
        return change
          ? [`${field} ${change.from === null ? '' : `${shortly(change.from)} -> `}${shortly(change.to)}`]
          : []
      })
      return `  ${version}  ${time.slice(11, 23)}  ${type.padEnd(13)} ${(actor ?? '').padEnd(11)} ${changes.join(', ')}`.trimEnd()
    })
    .join('\n')
}

function shortly(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 50 ? `${text.slice(0, 49)}\u2026` : text
}

const at = (time: string | undefined) => (time === undefined ? Number.NaN : Date.parse(time))
