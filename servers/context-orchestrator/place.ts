import type { Caller } from '@story-portal/shared/auth'
import { projectFolders } from './project-root.ts'

/** Where a call works: by a project's name, or in the client's folder, whose project is the nearest at or above it below `root`. */
export type Place = { name: string } | { root: string; folders: readonly string[] }

/** The named project, else that of the client's working directory, else `default`: an HTTP client tells no folder. */
export function placeOf(caller: Caller, project?: string): Place {
  if (project !== undefined) return { name: project }
  const { cwd } = caller.client
  if (cwd === undefined) return { name: 'default' }
  const folders = projectFolders(cwd)
  return { root: folders.at(-1) ?? folders[0], folders }
}
