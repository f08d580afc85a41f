import type { Caller } from '@story-portal/shared/auth'
import type { ScopedDb, Tx } from '@story-portal/shared/db'
import type { Updates } from '../checkpoint.ts'
import { merge } from '../merge.ts'
import { readVersion } from '../store.ts'
import { reachableRoot } from './reachable-root.ts'
import type { SaveTarget } from './save-target.ts'
import { seeWorld, type World } from './world.ts'

/** What a save will keep of the world around it, looked at before its transaction; undefined where the client tells no folder. */
export async function seeTaskWorld(
  { caller, db }: { caller: Caller; db: ScopedDb },
  updates: Updates,
  find: (tx: Tx) => Promise<SaveTarget>,
): Promise<World | undefined> {
  if (caller.client.cwd === undefined) return undefined
  const { root, before } = await db.read(async (tx) => {
    const { root: folder, task } = await find(tx)
    return { root: folder, before: task ? await readVersion(tx, task.id, task.head) : {} }
  })
  const reach = reachableRoot(caller, root)
  if ('reason' in reach) return undefined
  const { key_files = [] } = merge(before, updates)
  return seeWorld(
    reach.root,
    key_files.map(({ path }) => path),
  )
}
