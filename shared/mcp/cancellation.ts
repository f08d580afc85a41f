import { errors, type StoryPortalError } from '../errors/index.ts'

export interface CallClock {
  readonly signal: AbortSignal
  readonly deadline: number | undefined
  /** Rejects with the coded reason once the call is cancelled, late or cut off by the drain, after a moment of grace. */
  readonly aborted: Promise<never>
  /** Throws the coded reason if the call is over. */
  check(): void
  dispose(): void
}

/** A tool that honours its signal answers in its own words within this time; one that doesn't is left behind. */
const GRACE_MS = 1000

/** The one signal of a call, fed by the client's cancellation, the deadline and the process's drain. */
export function startClock(what: string, parents: readonly AbortSignal[], deadline: number | undefined): CallClock {
  const controller = new AbortController()
  const started = Date.now()
  let reason: StoryPortalError | undefined
  let rejectAborted: (error: unknown) => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    rejectAborted = reject
  })
  aborted.catch(() => {}) // Nobody may be waiting for it any more.
  let grace: NodeJS.Timeout | undefined

  const abort = (why: StoryPortalError): void => {
    if (reason !== undefined) return
    reason = why
    controller.abort(why)
    grace = setTimeout(() => rejectAborted(why), GRACE_MS)
  }
  const onParent = (): void => {
    const given: unknown = parents.find((parent) => parent.aborted)?.reason
    abort(given instanceof Error && 'number' in given ? (given as StoryPortalError) : errors.cancelled())
  }
  for (const parent of parents) {
    if (parent.aborted) onParent()
    else parent.addEventListener('abort', onParent, { once: true })
  }
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(
          () => abort(errors.timedOut({ what, ms: deadline - started })),
          Math.min(Math.max(0, deadline - started), 2 ** 31 - 1),
        )
  return {
    signal: controller.signal,
    deadline,
    aborted,
    check() {
      if (reason !== undefined) throw reason
    },
    dispose() {
      clearTimeout(timer)
      clearTimeout(grace)
      for (const parent of parents) parent.removeEventListener('abort', onParent)
    },
  }
}
