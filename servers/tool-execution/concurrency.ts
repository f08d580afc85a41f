import { hashJson, type RecordOf } from '@story-portal/shared/data'
import type { CallIntent } from '@story-portal/shared/engine'
import { z } from 'zod'
import { inWords } from './schema.ts'

const POINTER = /^(\/([^~/]|~[01])*)+$/

const Parts = z.strictObject({
  limit: z.int().min(1).max(1_000),
  key: z
    .string()
    .max(200)
    .refine((key) => POINTER.test(key), 'must be a JSON Pointer into the arguments, such as /account')
    .optional(),
})

/** Described in words: its schema would be sent with each definition. */
export const Concurrency = z
  .looseObject({})
  .transform(inWords(Parts))
  .describe('Calls at a time: {"limit": 1}, per value of an argument with "key": "/name"')

/** Which places a call of the tool takes: all versions of a tool share them. */
export function placesOf(tool: RecordOf<'tool'>, args: unknown): Pick<CallIntent, 'concurrency'> {
  if (tool.concurrency === null) return {}
  const { limit, key } = tool.concurrency as z.output<typeof Parts>
  const value = key === undefined ? '' : `/${hashJson(valueAt(args, key)).slice(0, 32)}`
  return { concurrency: { key: `${tool.name}${value}`, limit } }
}

/** What is not there is a value too: null. */
function valueAt(value: unknown, pointer: string): unknown {
  const names = pointer.split('/').slice(1)
  return names.reduce<unknown>((at, name) => {
    const own = name.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, own)) return null
    return (at as Record<string, unknown>)[own] ?? null
  }, value)
}
