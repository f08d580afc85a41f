import fc from 'fast-check'

/** How often a property is tried and from which seed; PROPERTY_SEED repeats a run that failed. */
export interface PropertyOptions {
  runs: number
}

/** Checks a property and prints its seed and count, so that a green run says what it has tried and a red one can be repeated. */
export async function checkProperty<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  holds: (value: T) => Promise<void> | void,
  options: PropertyOptions,
): Promise<void> {
  const seed = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const runs = Number(process.env['PROPERTY_RUNS'] ?? options.runs)
  await fc.assert(
    fc.asyncProperty(arbitrary, async (value) => holds(value)),
    { seed, numRuns: runs, endOnFailure: runs < 20 },
  )
  process.stderr.write(`property "${name}": ${runs} runs, PROPERTY_SEED=${seed}\n`)
}
