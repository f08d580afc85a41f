import type { Caller } from '@story-portal/shared/auth'
import { findProjectRoot } from './project-root.ts'
import type { Place } from './store.ts'

/** The named project, else that of the client's working directory, else `default`: an HTTP client tells no folder. */
export function placeOf(caller: Caller, project: string | undefined): Place {
  if (project !== undefined) return { name: project }
  const { cwd } = caller.client
  return cwd === undefined ? { name: 'default' } : { root: findProjectRoot(cwd) }
}
