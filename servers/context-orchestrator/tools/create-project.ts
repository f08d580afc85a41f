import { realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Caller } from '@story-portal/shared/auth'
import { createRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { isWithin } from '../is-within.ts'
import { projectFolders } from '../project-root.ts'
import { ProjectName } from '../schema.ts'
import { findProject, lockCreation } from '../store.ts'

export default defineTool({
  name: 'create_project',
  description:
    'Creates a project with a name of your choice for the folder of the client. Not needed before save_context_snapshot, which names it after the folder.',
  effect: 'create',
  input: {
    name: ProjectName,
    root: z.string().min(1).max(4096).optional().describe("Folder in the client's project; default: all of it"),
  },
  output: { project: z.looseObject({ id: z.string() }) },
  async prepare({ root }, { caller }) {
    return rootOf(caller, root)
  },
  async run({ name }, { tx }, root) {
    await lockCreation(tx)
    const namesake = await findProject(tx, { name })
    if (namesake) throw taken('name', namesake.name)
    const owner = root && (await findProject(tx, { root, folders: [root] }))
    if (owner) throw taken('root', owner.name)
    const project = await createRecord(tx, 'project', { name, root: root ?? null })
    return { project: { id: project.id, name, root: project.root } }
  },
})

function taken(what: 'name' | 'root', name: string) {
  const faultList = [{ path: what, message: `belongs to the project ${name}` }]
  return faults.projectTaken({ what, name }, { details: { faults: faultList } })
}

/** Links are followed before a root is compared: a project must not reach out of its folder by one. */
function rootOf(caller: Caller, given: string | undefined): string | undefined {
  const { cwd } = caller.client
  const whole = cwd === undefined ? undefined : projectFolders(cwd).at(-1)
  if (given === undefined) return whole
  const wanted = cwd === undefined ? undefined : realFolder(path.resolve(cwd, given))
  if (whole !== undefined && wanted !== undefined && isWithin(whole, wanted)) return wanted
  throw faults.rootOutside({}, { details: { faults: [{ path: 'root', message: 'is not such a folder' }] } })
}

function realFolder(folder: string): string | undefined {
  const known = statSync(folder, { throwIfNoEntry: false })
  return known?.isDirectory() ? realpathSync(folder) : undefined
}
