import { ConfigError } from '@story-portal/shared/config'
import { isStoryPortalError } from '@story-portal/shared/errors'

/** What scripts rely on. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, badConfig: 78 } as const

const BY_NUMBER: Record<string, number> = {
  E0280: EXIT.usage,
  E0281: EXIT.usage,
  E0290: EXIT.usage,
  E0291: EXIT.usage,
  E0292: EXIT.usage,
  E0293: EXIT.usage,
  E0299: EXIT.usage,
  E0282: EXIT.unreachable,
  E0912: EXIT.unreachable,
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.badConfig
  return isStoryPortalError(error) ? (BY_NUMBER[error.number] ?? EXIT.failed) : EXIT.failed
}
