import { kindNames } from '@story-portal/shared/data'
import { z } from 'zod'

const [first = '', ...rest] = kindNames as string[]

export const KindInput = z.enum([first, ...rest]).describe('Kind of record')
export const RecordId = z.string().min(1).max(200).describe('Id, such as gol_...')
export const ExpectedVersion = z.int().min(0).describe('Refuses when the version is another one')
export const Reason = z.string().min(1).max(1000).describe('Why; kept in the history')
export const Limit = z.int().min(1).max(200).default(50).describe('Most items of one page')
export const Cursor = z.string().min(1).max(4096).describe('next_cursor of the page before, with the same arguments')
export const NextCursor = z.string().nullable().describe('Null on the last page')
export const Fields = z.record(z.string().max(100), z.unknown())
export const ConfigurationKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,199}$/)
  .describe('For example planning.max_parallel')

export const RecordResult = z.looseObject({
  id: z.string(),
  version: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
  created_by: z.string(),
})

/** An event in its CloudEvents 1.0 envelope. */
export const EventResult = z.looseObject({
  position: z.string(),
  stream: z.string(),
  version: z.int(),
  type: z.string(),
  time: z.string(),
  data: z.unknown(),
})

export const ConfigurationResult = z.looseObject({ key: z.string(), value: z.unknown(), version: z.int() })
