import { z } from 'zod'

/** Body of `POST /internal/call/<server>/<tool>`; between hosts the signed envelope holds the rest. */
export const InternalRequest = z.object({
  arguments: z.unknown(),
  /** Taken from the local user's own stdio entry only; behind the signed envelope the envelope speaks. */
  client: z
    .object({ surface: z.enum(['stdio', 'cli']), name: z.string().max(60), cwd: z.string().max(4096).optional() })
    .optional(),
  correlation_id: z.string().max(80).optional(),
  traceparent: z.string().max(80).optional(),
  idempotency_key: z.string().max(200).optional(),
  /** How long the caller still waits: clocks of two machines differ, durations don't. */
  timeout_ms: z.number().int().positive().optional(),
})
export type InternalRequest = z.infer<typeof InternalRequest>

/**
 * One line of the answer: `accepted` as soon as the call is let in, progress while it runs, then exactly one result or error.
 * Blank lines keep the connection open. An answer without its last line is a broken call of unknown outcome.
 */
export type InternalLine =
  | { accepted: true }
  | { progress: { progress: number; total?: number; message?: string } }
  | { result: Record<string, unknown> }
  | { error: Record<string, unknown> }

export const ENVELOPE_HEADER = 'x-story-portal-envelope'
