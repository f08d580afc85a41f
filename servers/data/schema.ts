import { z } from 'zod'

// A list of fourteen tools has 3,000 tokens in all, and each client pays for them: words only where a name does not say it.

/** Not an enum: the list would be in six definitions; the error for an unknown one has it, and so have the instructions. */
export const KindInput = z.string().max(40).describe('Such as goal')
export const RecordId = z.string().max(200).describe('Id')
export const ExpectedVersion = z.int().min(0).describe('Else refused')
export const Reason = z.string().max(1000).describe('Why')
export const Limit = z.int().min(1).max(200).default(50).describe('Page size')
export const Cursor = z.string().max(4096).describe('next_cursor')
export const IncludeDeleted = z.boolean().optional().describe('Deleted too')
export const NextCursor = z.string().nullable()
export const ConfigurationKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,199}$/)
  .describe('Such as a.b')

/** Members by name, checked against the kind, not here. */
export const Fields = z.record(z.string(), z.unknown())
export const ConfigurationResult = z.looseObject({ key: z.string() })

/** An event in its CloudEvents 1.0 envelope. */
export const EventResult = z.looseObject({ position: z.string(), version: z.int() })
