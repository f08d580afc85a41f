import { realpathSync, statSync } from 'node:fs'
import type { Caller } from '@story-portal/shared/auth'
import { isWithin } from '../is-within.ts'
import { projectFolders } from '../project-root.ts'

/** The real folder of a project as far as a caller may look at it, or why not. */
export type Reach = { root: string } | { reason: string }

/** A project's folder can be looked at for a client that works in it or in what git keeps around it. */
export function reachableRoot(caller: Caller, root: string | null): Reach {
  const { cwd } = caller.client
  if (cwd === undefined) return { reason: 'The client tells no folder, so nothing was compared.' }
  if (root === null) return { reason: 'The project has no folder.' }
  const whole = projectFolders(cwd).at(-1) ?? cwd
  if (!isWithin(whole, root)) return { reason: "The project's folder is not in the client's." }
  const real = statSync(root, { throwIfNoEntry: false })?.isDirectory() ? realpathSync(root) : undefined
  if (real === undefined) return { reason: "The project's folder is gone." }
  return isWithin(whole, real) ? { root: real } : { reason: "The project's folder is not in the client's." }
}
