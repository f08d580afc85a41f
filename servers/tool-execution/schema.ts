import type { RecordOf } from '@story-portal/shared/data'
import { schemaFaults } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { GRANT, HOST_GRANT } from './grants.ts'

export const ToolName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{1,63}$/, 'must be lower case letters, digits, _ and -, 2 to 64 of them')
  .describe('Such as word_count')

export const UpstreamName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,23}$/, 'must be lower case letters, digits and -, at most 24')
  .refine((name) => name !== 'std', 'must not be std, which names the built-in tools')

export const VersionRange = z.string().min(1).max(100).describe('Version or range, such as 1.2.0 or ^1.0.0')

export const ShownTool = z.looseObject({ id: z.string(), version: z.string() })

export const Code = z.string().min(1).max(262_144)

export const Language = z.enum(['javascript', 'typescript'])

export const SecretName = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => /^[A-Za-z][A-Za-z0-9_.-]*$/.test(name), 'must be a letter, then letters, digits, _, . and -')

/** Not as patterns: each would be sent with each definition. */
const ToolGrant = z
  .string()
  .max(200)
  .refine((grant) => GRANT.test(grant), 'must be <server>.<tool>, <server>.* or *')

export const HostGrant = z
  .string()
  .max(300)
  .refine((grant) => HOST_GRANT.test(grant), 'must be a host in lower case, host:port or *.host')

const AllPermissions = z.strictObject({
  tools: z.array(ToolGrant).max(100).optional(),
  http: z
    .array(HostGrant.or(z.literal('*')))
    .max(100)
    .optional(),
  storage: z.boolean().optional(),
  secrets: z.array(SecretName).max(100).optional(),
})

/** Checks by another schema than the one that is sent: what is described in words costs less in a definition. Faults name the field. */
export function inWords<T extends z.ZodType>(schema: T) {
  return (given: unknown, ctx: z.RefinementCtx): z.output<T> => {
    const parsed = schema.safeParse(given)
    if (parsed.success) return parsed.data
    for (const { path, message } of schemaFaults(parsed.error, given, ''))
      ctx.addIssue({ code: 'custom', path: [path], message })
    return z.NEVER
  }
}

/** What is absent stays absent: it is frozen with the call, and hashed as it was given. */
export const Permissions = z
  .looseObject({})
  .transform(inWords(AllPermissions))
  .describe(
    'What code may use: {"tools": ["data.*"], "http": ["api.example.com"], "secrets": ["name"], "storage": true}',
  )

export const Limits = z
  .strictObject({ timeout_ms: z.int().min(1).optional(), memory_mb: z.int().min(8).optional() })
  .describe('Cut to ours')

export const Mode = z
  .enum(['wait', 'background'])
  .default('wait')
  .describe('background returns at once; get_invocation has the outcome')

export const InvocationId = z
  .string()
  .regex(/^inv_[a-z0-9]{1,60}$/, 'must be the id of an invocation: inv_...')
  .describe('Id of the invocation, inv_...')

export const InvocationStatus = z.enum([
  'pending',
  'running',
  'pending_approval',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'denied',
  'unknown',
])

export const Invocation = z.looseObject({ id: z.string(), status: z.string() })

export const Usage = z.looseObject({ wall_ms: z.number(), cpu_ms: z.number(), memory_bytes: z.number() })
/** Of `{level, message}`. */
export const Logs = z.array(z.looseObject({}))

/** What a client sees of an invocation: not who holds its lease, and not all that is known of its caller. */
export function shownInvocation(invocation: RecordOf<'invocation'> & { approval?: unknown }) {
  const {
    tenant_id: _t,
    deleted_at: _d,
    lease_owner: _o,
    lease_token: _k,
    lease_expires_at: _e,
    caller: _c,
    approval: _a,
    ...rest
  } = invocation
  return rest
}

export const ShownSecret = z.looseObject({ name: z.string(), hosts: z.array(z.string()) })
