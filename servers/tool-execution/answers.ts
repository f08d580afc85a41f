import type { TenantScope, Tx } from '@story-portal/shared/db'
import type { InvocationRecord } from '@story-portal/shared/engine'
import type { Host } from '@story-portal/shared/mcp'

/** Kept with a call's outcome: the how manieth answer of its run it was, and the time that the code then reads. */
export interface AnswerMark {
  /** From 0. */
  order: number
  /** Milliseconds since the epoch. */
  at: number
}

/**
 * The answers to the calls of one run, in one order that never changes: code that runs again after a crash gets what is
 * recorded in the order in which it was answered before, and only then makes calls anew. So `Promise.all` and `Promise.race`
 * take the same path again, and ask for the same at the same index.
 */
export class Answers {
  /** Keys of recorded calls, in the order of their answers. */
  readonly #recorded: string[]
  readonly #turns = new Map<string, PromiseWithResolvers<void>>()
  readonly #asked = new Set<string>()
  readonly #caughtUp = Promise.withResolvers<void>()
  #replayed = 0
  #next: number
  /** Ends when everything that was marked before has been answered. */
  #tail: Promise<void> = Promise.resolve()

  constructor(recorded: readonly { key: string; order: number }[]) {
    const sorted = recorded.toSorted((a, b) => a.order - b.order)
    this.#recorded = sorted.map(({ key }) => key)
    for (const key of this.#recorded) this.#turns.set(key, Promise.withResolvers())
    this.#next = (sorted.at(-1)?.order ?? -1) + 1
    this.#advance()
  }

  /** True while there are recorded calls that were not made again. One made and not waited for has been made. */
  get unasked(): boolean {
    return this.#recorded.some((key) => !this.#asked.has(key))
  }

  /** Resolves when this call may be looked up or made: a recorded one in its turn, a new one after all of them. */
  async turn(key: string): Promise<void> {
    this.#asked.add(key)
    await (this.#turns.get(key) ?? this.#caughtUp).promise
  }

  /** To be called once the answer to a recorded call is on its way to the code. */
  replayed(key: string): void {
    if (this.#recorded[this.#replayed] !== key) return
    this.#replayed += 1
    this.#advance()
  }

  /** Marks an answer that is about to be recorded. `told` is to be called once it is on its way, or will never be. */
  mark(): AnswerMark & { before: Promise<void>; told: () => void } {
    const before = this.#tail
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tail = before.then(() => promise)
    return { order: this.#next++, at: Date.now(), before, told: resolve }
  }

  #advance(): void {
    const key = this.#recorded[this.#replayed]
    if (key === undefined) this.#caughtUp.resolve()
    else this.#turns.get(key)?.resolve()
  }
}

/** The answers that are recorded for the calls of a run. */
export async function recordedAnswers(host: Host, scope: TenantScope, run: InvocationRecord): Promise<Answers> {
  const rows = await host.db.tx(scope, (tx) => finishedCalls(tx, run.id), { readOnly: true })
  return new Answers(
    rows.flatMap(({ call_key, usage }) => {
      const mark = markOf({ usage })
      return mark ? [{ key: call_key, order: mark.order }] : []
    }),
  )
}

function finishedCalls(tx: Tx, runId: string) {
  return tx
    .selectFrom('core.invocations')
    .select(['call_key', 'usage'])
    .where('parent_invocation_id', '=', runId)
    .where('status', 'in', ['succeeded', 'failed', 'timed_out', 'cancelled', 'denied'])
    .execute()
}

export function markOf({ usage }: Pick<InvocationRecord, 'usage'>): AnswerMark | undefined {
  const mark = (usage as Record<string, unknown> | null)?.['answer'] as AnswerMark | undefined
  return typeof mark?.order === 'number' && typeof mark.at === 'number' ? mark : undefined
}
