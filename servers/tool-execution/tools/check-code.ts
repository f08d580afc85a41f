import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { sandboxOf } from '../sandbox-of-host.ts'
import { Code, Language } from '../schema.ts'

/** Real code parses in a few milliseconds; a regular expression made for it keeps a parser busy for minutes. */
const PARSE_MS = 2_000

/** Ends of a check that are the code's own doing, and not the sandbox's. */
const BY_THE_CODE = new Set(
  [faults.wallLimit, faults.cpuLimit, faults.heapLimit, faults.processMemoryLimit, faults.workerCrashed].map(
    (fault) => fault().number,
  ),
)

export default defineTool({
  name: 'check_code',
  description: 'Parses code without running it and returns where it is wrong. To run it, use run_code.',
  effect: 'read',
  transaction: false,
  input: {
    codes: z
      .array(z.strictObject({ code: Code, language: Language.optional() }))
      .min(1)
      .max(100)
      .describe('As run_code takes them'),
  },
  output: {
    faults: z.array(
      z.looseObject({ index: z.int(), message: z.string(), line: z.int(), column: z.int() }).describe('index in codes'),
    ),
  },
  async run({ codes }, ctx) {
    const found = []
    for (const [index, code] of codes.entries()) {
      const limits = { wall_ms: PARSE_MS, cpu_ms: PARSE_MS }
      const checked = await sandboxOf(ctx.host).check({
        ...code,
        limits,
        group: ctx.caller.tenant_id,
        signal: ctx.signal,
      })
      if (checked.ok) continue
      const { number, message, details } = checked.error
      const place = { line: Number(details?.['line'] ?? 1), column: Number(details?.['column'] ?? 1) }
      if (number === faults.syntax().number) found.push({ index, message: String(details?.['message']), ...place })
      else if (BY_THE_CODE.has(number)) found.push({ index, message: `can not be parsed: ${message}`, ...place })
      else throw checked.error
    }
    return { faults: found }
  },
})
