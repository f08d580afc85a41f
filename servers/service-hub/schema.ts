import { z } from 'zod'

/** Registered tools (those of tool-execution's register_tool) are found and called under this server name. */
export const REGISTERED = 'registered'

export const ServerName = z
  .string()
  .min(1)
  .max(64)
  .describe(`Server as search_tools names it, such as planning; ${REGISTERED} for registered tools.`)

export const ToolName = z.string().min(1).max(128).describe('Tool as search_tools names it.')

export const WorkflowName = z.string().min(1).max(100).describe('Such as testing.unit.')
