import { getRecord } from '@story-portal/shared/data'
import { badInput } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { type Lease as Held, heldLeases, takeLeases } from '../leases.ts'
import { Paths, SessionId, TaskId } from '../schema.ts'
import { aliveSession, beat } from '../sessions.ts'
import { findTask, lockProject } from '../store.ts'

const Lease = z.looseObject({ thing: z.string(), session_id: z.string(), fence: z.string(), expires_at: z.string() })

export default defineTool({
  name: 'acquire_lease',
  description:
    'Says that a session works on a task or on files for a while, all of them or none; held says who does already. Advisory for files; a session saves no task that another holds. To end it, call release_lease.',
  effect: 'update',
  input: {
    session_id: SessionId,
    task_id: TaskId.optional().describe('tcx_...'),
    paths: Paths,
    ttl_ms: z.int().min(1_000).max(3_600_000).default(300_000).describe('For so long; the same again extends it'),
  },
  output: { granted: z.boolean(), leases: z.array(Lease), held: z.array(Lease) },
  async run(
    { session_id, task_id, paths, ttl_ms },
    { tx },
  ): Promise<{ granted: boolean; leases: Held[]; held: Held[] }> {
    const session = await aliveSession(tx, session_id)
    await beat(tx, session.id)
    const task = task_id === undefined ? undefined : await findTask(tx, task_id, { name: '' })
    const things = [...new Set([...(task ? [task.id] : []), ...paths])]
    if (things.length === 0) throw badInput('task_id', 'or paths is needed')
    if (session.project_id === null || (task && task.project_id !== session.project_id))
      throw faults.otherProject({ task: task?.id ?? 'none' })
    const { id: project_id } = await lockProject(tx, (await getRecord(tx, 'project', session.project_id)).id)
    const others = (await heldLeases(tx, project_id, things)).filter((lease) => lease.session_id !== session.id)
    if (others.length > 0) return { granted: false, leases: [], held: others }
    return { granted: true, leases: await takeLeases(tx, { project_id, session_id, ttl_ms }, things), held: [] }
  },
})
