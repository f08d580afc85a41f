import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from '../client.ts'
import type { Work } from './load.ts'

const PAUSE_MS = 150
const STREAMS = 4

/** Goals over HTTP, and every fourth renamed: what is acknowledged last is what must be there. */
export async function writeGoals({ client, ledger, enough }: Work): Promise<void> {
  for (let n = 1; !enough.aborted; n++) {
    const title = `over http ${n}`
    const made = (await client.call('planning', 'create_goal', { title }, `goal-${n}`)) as { goal: { id: string } }
    ledger.goals.set(made.goal.id, title)
    if (n % 4 === 0) {
      const renamed = `${title}, renamed`
      await client.call('planning', 'update_goal', { goal_id: made.goal.id, title: renamed }, `rename-${n}`)
      ledger.goals.set(made.goal.id, renamed)
    }
    await sleep(PAUSE_MS)
  }
}

/** Events over HTTP into a few streams at once. */
export async function writeEvents({ client, ledger, enough }: Work): Promise<void> {
  const one = async (stream: string) => {
    const numbers: number[] = []
    ledger.events.set(stream, numbers)
    for (let n = 1; !enough.aborted; n++) {
      const event = { stream, type: 'chaos.written', data: { n } }
      await client.call('data', 'append_event', event, `${stream}-${n}`)
      numbers.push(n)
      await sleep(PAUSE_MS * 2)
    }
  }
  await Promise.all(Array.from({ length: STREAMS }, (_, i) => one(`chaos/${i}`)))
}

/** Plain records over HTTP, through the small door of the hub: two servers are on the way. */
export async function writeRecords({ client, ledger, enough }: Work): Promise<void> {
  for (let n = 1; !enough.aborted; n++) {
    const comment = `through the hub ${n}`
    const data = { target_kind: 'chaos', target_id: String(n), comment }
    const call = { server: 'data', tool: 'create_record', arguments: { kind: 'feedback', data } }
    const answer = await client.call('service-hub', 'call_tool', call, `feedback-${n}`)
    ledger.feedback.set(idIn(answer), comment)
    await sleep(PAUSE_MS * 2)
  }
}

function idIn(answer: Row): string {
  const { record } = (answer['result'] ?? answer) as { record: { id: string } }
  return record.id
}
