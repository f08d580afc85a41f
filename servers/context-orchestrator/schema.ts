import { z } from 'zod'

export const TaskId = z
  .string()
  .regex(/^tcx_[a-z0-9]{1,60}$/, 'must be the id of a task context: tcx_...')
  .describe('Id of the task context, tcx_...; default: the one of the project saved last')
export const ProjectName = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .describe("Name of the project; default: the one of the client's folder")
