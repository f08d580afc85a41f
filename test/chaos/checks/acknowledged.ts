import type { Row } from '../client.ts'
import { allRecords, wholeLog } from '../log.ts'
import type { Check } from '../registry.ts'
import type { Subject } from '../subject.ts'

/** Code whose sandbox was killed twice ends so, because it may be the code that does it. */
const KILLED_TWICE = '"number":"E3020"'

/** Everything that was acknowledged is there, once, as it was acknowledged. */
const check: Check = async (subject) => {
  const { goals, feedback, events, background } = subject.load.ledger
  const { written } = await wholeLog(subject)
  const wrong = [
    ...compare('goal', goals, await values(subject, 'goal', (row) => row['title'])),
    ...compare('feedback', feedback, await values(subject, 'feedback', (row) => row['comment'])),
  ]
  for (const [stream, numbers] of events) {
    const found = written.get(stream) ?? []
    if (found.join() !== numbers.join()) wrong.push(`${stream}: ${found.length} events instead of ${numbers.length}`)
  }
  const outcomes = await values(subject, 'invocation', ({ status, output, error }) =>
    status === 'succeeded' ? `succeeded ${JSON.stringify(output)}` : `${status}: ${JSON.stringify(error)}`,
  )
  for (const [id, number] of background) {
    const outcome = outcomes.get(id)
    if (outcome !== `succeeded ${number}` && !outcome?.includes(KILLED_TWICE))
      wrong.push(`background call ${id} is ${outcome}`)
  }
  return wrong
}

/** What differs, and how many there are beyond those that were acknowledged: every call was repeated until it was. */
function compare(kind: string, wanted: ReadonlyMap<string, unknown>, found: ReadonlyMap<string, unknown>): string[] {
  const differing = [...wanted].filter(([id, value]) => found.get(id) !== value)
  const beyond = [...found.keys()].filter((id) => !wanted.has(id))
  return [
    ...differing.map(([id, value]) => `${kind} ${id} "${value}" is "${found.get(id)}"`),
    ...beyond.map((id) => `${kind} ${id} "${found.get(id)}" was acknowledged to nobody`),
  ]
}

async function values<T>(subject: Subject, kind: string, of: (row: Row) => T): Promise<Map<string, T>> {
  return new Map((await allRecords(subject, kind)).map((row) => [String(row['id']), of(row)]))
}

export default check
