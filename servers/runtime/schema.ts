import { z } from 'zod'

export const RunId = z
  .string()
  .regex(/^run_[a-z0-9]{1,60}$/, 'must be the id of a run: run_...')
  .describe('Id of the run, run_...')
export const RunKind = z.enum(['plan', 'agent', 'script'])
export const RunStatus = z.enum(['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'])
export const Cursor = z.string().max(2000).describe('next_cursor of the page before')
export const Limit = z.int().min(1).max(200).default(50).describe('Most items of one page')
export const Run = z.looseObject({ id: z.string(), kind: RunKind, status: RunStatus })
