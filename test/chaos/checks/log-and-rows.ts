import { canonicalJson } from '@story-portal/shared/events'
import type { Row } from '../client.ts'
import { allRecords, wholeLog } from '../log.ts'
import type { Check } from '../registry.ts'
import type { Subject } from '../subject.ts'

const KINDS = ['goal', 'plan', 'task', 'run', 'invocation', 'feedback']

/** Versions of every stream are 1, 2, 3 ...; every record is what its events say, and every record of the log is there. */
const check: Check = async (subject) => {
  const { records, versions } = await wholeLog(subject)
  const wrong: string[] = []
  for (const [stream, found] of versions) {
    const gap = found.findIndex((version, index) => version !== index + 1)
    if (gap >= 0) wrong.push(`${stream}: version ${found[gap]} stands where ${gap + 1} should`)
  }
  for (const kind of KINDS) {
    const rows = await allRecords(subject, kind)
    for (const row of rows) {
      const fields = differing(await whole(subject, kind, row), records.get(`${kind}/${row['id']}`))
      if (fields !== '') wrong.push(`${kind} ${row['id']} differs from its events in ${fields}`)
    }
    const logged = [...records.keys()].filter((stream) => stream.startsWith(`${kind}/`)).length
    if (logged !== rows.length) wrong.push(`${logged} records of kind ${kind} in the log, ${rows.length} rows`)
  }
  return wrong
}

/** A list leaves long values out and names them. */
async function whole({ client }: Subject, kind: string, row: Row): Promise<Row> {
  if (row['omitted'] === undefined) return row
  return (await client.call('data', 'get_record', { kind, id: row['id'] }))['record'] as Row
}

/** A list shows neither nulls nor the tenant, so a field that is not there stands for null. */
function differing(row: Row, logged: Row = {}): string {
  const fields = [...new Set([...Object.keys(row), ...Object.keys(logged)])].filter((field) => field !== 'tenant_id')
  const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 60)
  return fields
    .filter((field) => canonicalJson(row[field] ?? null) !== canonicalJson(logged[field] ?? null))
    .map((field) => `${field} (${shown(row[field])}, ${shown(logged[field])})`)
    .slice(0, 3)
    .join(', ')
}

export default check
