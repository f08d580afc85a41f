/** The middle value; of an even number the lower middle one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value that `q` (0 to 1) of all are not above. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))
  return sorted[index] ?? Number.NaN
}

/** Measures each side once per round, in turn, so that what else the machine does hits all alike; returns the medians. */
export async function inTurn<K extends string>(
  rounds: number,
  sides: Record<K, () => Promise<number>>,
): Promise<Record<K, number>> {
  const names = Object.keys(sides) as K[]
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let round = 0; round < rounds; round++) {
    // The order turns around every time, so that nobody always comes after the same other.
    for (const name of round % 2 === 0 ? names : names.toReversed()) values[name].push(await sides[name]())
  }
  return Object.fromEntries(names.map((name) => [name, median(values[name])])) as Record<K, number>
}
