import { updateRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { detect } from '../conflicts/detect.ts'
import { openConflicts, shownConflict, storeFound } from '../conflicts/found.ts'
import { placeOf } from '../place.ts'
import { ProjectName } from '../schema.ts'
import { findProject, lockProject } from '../store.ts'

export default defineTool({
  name: 'detect_conflicts',
  description:
    'Finds what contradicts itself between the tasks of a project: files, locked elements, states, saves on old versions. Each is stored once. To settle one, call resolve_conflict.',
  effect: 'update',
  input: { project: ProjectName.optional() },
  output: {
    conflicts: z.array(z.looseObject({ conflict_id: z.string(), kind: z.string(), explanation: z.string() })),
    gone: z.int().describe('Open before, not found any more: resolved'),
    detectors: z.array(z.looseObject({ name: z.string(), ran: z.boolean() })),
  },
  async run({ project: name }, { tx, caller }): Promise<Detected> {
    const place = await findProject(tx, placeOf(caller, name))
    if (!place) return { conflicts: [], gone: 0, detectors: DETECTORS }
    const project = await lockProject(tx, place.id)
    const still = new Set<string>()
    for (const found of await detect(tx, project.id)) still.add((await storeFound(tx, project.id, found)).id)
    let gone = 0
    const conflicts: ReturnType<typeof shownConflict>[] = []
    for (const conflict of await openConflicts(tx, { project_id: project.id })) {
      if (still.has(conflict.id) || STORED_ELSEWHERE.includes(conflict.kind)) conflicts.push(shownConflict(conflict))
      else {
        await updateRecord(tx, 'context_conflict', conflict.id, { status: 'resolved', outcome: { type: 'gone' } })
        gone++
      }
    }
    return { conflicts, gone, detectors: DETECTORS }
  },
})

interface Detected {
  conflicts: ReturnType<typeof shownConflict>[]
  gone: number
  detectors: { name: string; ran: boolean; reason?: string }[]
}

/** By the save, or the sync, that met them; nothing but settling them ends them. */
const STORED_ELSEWHERE = ['version_divergence', 'mirror_edit']

const DETECTORS = [
  ...['version_divergence', 'file_conflict', 'state_mismatch', 'lock_collision', 'mirror_edit'].map((name) => ({
    name,
    ran: true,
  })),
  { name: 'specification_contradiction', ran: false, reason: 'The document-consolidator is not there.' },
]
