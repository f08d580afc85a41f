/** One figure of one run. */
export interface Measurement {
  /** What was done, with its size: `event append, 16 writers`. */
  job: string
  value: number
  unit: string
  better: 'lower' | 'higher'
  /** The same job done by somebody else, or by nothing but the floor under us, in the same run and unit. */
  peer?: { name: string; value: number } | undefined
  /** The bound that `value` should keep to. */
  target?: number | undefined
  /** What the figure can't say by itself. */
  note?: string | undefined
}

export interface BenchmarkContext {
  /** How often each side is measured, taking turns; the median counts. */
  rounds: number
  log(line: string): void
  /** URL of a private PostgreSQL, superuser; started at the first call and ended with the run. */
  postgres(): Promise<string>
  /** Ends something with the run, last first. */
  defer(end: () => Promise<void>): void
}

/** A file of benchmarks/: its name is the benchmark's. */
export interface Benchmark {
  run(context: BenchmarkContext): Promise<Measurement[]>
}

/** How many times the peer's figure ours is; below 1 is faster where lower is better. */
export function ratioOf({ value, peer }: Pick<Measurement, 'value' | 'peer'>): number | undefined {
  return peer === undefined ? undefined : value / peer.value
}

export function reached({ value, target, better }: Measurement): boolean | undefined {
  if (target === undefined) return undefined
  return better === 'lower' ? value <= target : value >= target
}
