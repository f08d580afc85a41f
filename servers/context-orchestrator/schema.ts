import { z } from 'zod'

export const TaskId = z
  .string()
  .regex(/^tcx_[a-z0-9]{1,60}$/, 'must be the id of a task context: tcx_...')
  .describe('tcx_...; default: the current task of the project')
export const ProjectName = z.string().trim().min(1).max(500).describe("Its name; default: that of the client's folder")
export const Title = z.string().trim().min(1).max(300).describe('A line')
export const Status = z.enum(['active', 'completed', 'archived'])
export const ExpectedVersion = z.int().min(0).describe('Version you know')
/** Checked by checkedUpdates; what follows is for the assistant. */
export const UpdatesInput = z
  .record(z.string(), z.unknown())
  .describe(
    'Parts that changed, null empties one. Texts: goal, next_action, notes. Lists of texts: constraints, done_steps, pending_steps, blockers, open_approvals. Lists of objects: decisions {decision, reason?, evidence?: [text]}, key_files {path, sha256?, commit?}, tests {name, result}, locked_elements {element, reason?}',
  )
export const SessionId = z
  .string()
  .regex(/^ses_[a-z0-9]{1,60}$/, 'must be the id of a session: ses_...')
  .describe('ses_... of start_session')
export const ClientSessionId = z.string().trim().min(1).max(200).describe('What the client calls it')
export const MaxTokens = z.int().min(100).max(100_000).default(2000).describe('Budget, 4 bytes a token')
export const RoleName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be the name of a role, such as reviewer')
  .describe('Such as reviewer')
export const Paths = z.array(z.string().trim().min(1).max(500)).max(50).default([]).describe('Files, as in key_files')
