import { setTimeout as sleep } from 'node:timers/promises'
import type { Work } from './load.ts'

interface Event {
  position: string
  stream: string
  version: number
}

/** Follows the whole log by position from the start, whatever breaks, and writes down what it meets in the order it meets it. */
export async function follow({ client, ledger }: Work, stop: AbortSignal): Promise<void> {
  let after_position: string | undefined
  while (!stop.aborted) {
    const from = after_position === undefined ? {} : { after_position }
    const { items } = (await client.call('data', 'list_events', { ...from, limit: 200 })) as { items: Event[] }
    for (const { position, stream, version } of items) ledger.followed.push({ position, stream, version })
    after_position = items.at(-1)?.position ?? after_position
    if (items.length < 200) await sleep(300)
  }
}
