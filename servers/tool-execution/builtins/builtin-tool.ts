import type { z } from 'zod'
import type { Permissions } from '../schema.ts'

/** What a file of builtin-tools exports as `tool`; its default export is the code, and its name the tool's. */
export interface BuiltinTool {
  /** Rises with every change of the code, or of the library in it. */
  version: string
  title: string
  description: string
  input_schema: Record<string, unknown>
  output_schema: Record<string, unknown>
  permissions?: z.output<typeof Permissions>
  requires_approval?: boolean
}

/** Refuses the input in words of ours, whatever the library in the tool says. */
export function refuse(path: string, problem: string): never {
  const error = new Error(`${path} ${problem}`)
  error.name = 'InvalidInput'
  throw error
}
