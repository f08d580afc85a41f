import { setTimeout as sleep } from 'node:timers/promises'
import type { Work } from './load.ts'

/** Work that is only handed in: its acknowledgement is an id, its result must be there in the end. */
export async function runBackground({ client, ledger, enough }: Work): Promise<void> {
  for (let n = 1; !enough.aborted; n++) {
    const args = { code: `return ${n}`, mode: 'background' }
    const { invocation_id } = await client.call('tool-execution', 'run_code', args, `background-${n}`)
    ledger.background.set(String(invocation_id), n)
    await sleep(400)
  }
}
