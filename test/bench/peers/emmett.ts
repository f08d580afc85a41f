import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql'
import type { EventStorePeer } from '../load-peer.ts'

/** Emmett's event store on a database of its own. */
const emmett: EventStorePeer = {
  async open(url) {
    const store = getPostgreSQLEventStore(url)
    return {
      append: async (stream, events) => void (await store.appendToStream(stream, [...events])),
      close: () => store.close(),
    }
  },
}

export default emmett
