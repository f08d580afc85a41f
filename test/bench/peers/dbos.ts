import { DBOS } from '@dbos-inc/dbos-sdk'
import type { DurableCallPeer } from '../load-peer.ts'

/** A DBOS workflow of one step on a database of its own: intent, run and result recorded, as our exactly-once call. */
const dbos: DurableCallPeer = {
  async open(url) {
    DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error', runAdminServer: false })
    const step = async (n: number) => n + 1
    const workflow = DBOS.registerWorkflow(async (n: number) => DBOS.runStep(() => step(n)), { name: 'one-step' })
    await DBOS.launch()
    return { call: (n) => workflow(n), close: () => DBOS.shutdown() }
  },
}

export default dbos
