import type { Row } from './client.ts'
import type { Subject } from './subject.ts'

interface LoggedEvent {
  position: string
  stream: string
  version: number
  type: string
  data: Row
}

/** The whole log, read once from the start when everything is over, folded by stream. */
export interface Log {
  order: { position: string; stream: string; version: number }[]
  /** Stream to its versions in log order. */
  versions: Map<string, number[]>
  /** Stream of a record (`goal/gol_...`) to the record as its last event leaves it. */
  records: Map<string, Row>
  /** Stream to the numbers of its chaos.written events. */
  written: Map<string, number[]>
}

const logs = new WeakMap<Subject, Promise<Log>>()

export function wholeLog(subject: Subject): Promise<Log> {
  const known = logs.get(subject) ?? readLog(subject)
  logs.set(subject, known)
  return known
}

async function readLog({ client }: Subject): Promise<Log> {
  const log: Log = { order: [], versions: new Map(), records: new Map(), written: new Map() }
  for (let after: string | undefined; ; ) {
    const from = after === undefined ? {} : { after_position: after }
    const { items } = (await client.call('data', 'list_events', { ...from, limit: 200 })) as { items: LoggedEvent[] }
    for (const event of items) add(log, event)
    after = items.at(-1)?.position ?? after
    if (items.length === 0) return log
  }
}

function add(log: Log, { position, stream, version, type, data }: LoggedEvent): void {
  log.order.push({ position, stream, version })
  push(log.versions, stream, version)
  if (data['record'] !== undefined) log.records.set(stream, data['record'] as Row)
  if (type === 'chaos.written') push(log.written, stream, Number(data['n']))
}

function push(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

/** Every record of a kind as its row is now. */
export async function allRecords({ client }: Subject, kind: string): Promise<Row[]> {
  const rows: Row[] = []
  for (let cursor: unknown; cursor !== null; ) {
    const from = cursor === undefined ? {} : { cursor }
    const page = await client.call('data', 'list_records', { kind, limit: 100, ...from })
    rows.push(...(page['items'] as Row[]))
    cursor = page['next_cursor']
  }
  return rows
}
