export type CircuitName = 'closed' | 'half_open' | 'open'

export interface CircuitSettings {
  /** Failures in a row that open it. */
  failures: number
  /** How long it stays open the first time; doubles with every trial that fails, up to `max_open_ms`. */
  open_ms: number
  max_open_ms: number
  isFailure(error: unknown): boolean
}

/** Thrown instead of the call while the circuit is open. */
export class CircuitOpen extends Error {}

/**
 * Stops asking a dependency that failed repeatedly, and lets calls through again after a while: the first of them to end decides.
 * Nobody waits for a trial, because a call may take an hour. Time is the monotonic clock's: after a step of the other one, an hour
 * back, a dependency would not be asked for that hour.
 */
export class Circuit {
  readonly #settings: CircuitSettings
  #state: CircuitName = 'closed'
  #failures = 0
  #openFor: number
  #openedAt = 0
  /** When it last opened, ISO, for people; null when it never did. */
  opened_at: string | null = null

  constructor(settings: CircuitSettings) {
    this.#settings = settings
    this.#openFor = settings.open_ms
  }

  get state(): CircuitName {
    return this.#state
  }

  async execute<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#state === 'open') {
      if (performance.now() - this.#openedAt < this.#openFor) throw new CircuitOpen('the circuit is open')
      this.#state = 'half_open'
    }
    try {
      const result = await fn()
      this.#succeeded()
      return result
    } catch (error) {
      if (this.#settings.isFailure(error)) this.#failed()
      throw error
    }
  }

  #succeeded(): void {
    this.#state = 'closed'
    this.#failures = 0
    this.#openFor = this.#settings.open_ms
  }

  #failed(): void {
    this.#failures += 1
    if (this.#state === 'half_open') {
      this.#openFor = Math.min(this.#openFor * 2, this.#settings.max_open_ms)
      this.#open()
    } else if (this.#state === 'closed' && this.#failures >= this.#settings.failures) this.#open()
  }

  #open(): void {
    this.#state = 'open'
    this.#openedAt = performance.now()
    this.opened_at = new Date().toISOString()
  }
}
