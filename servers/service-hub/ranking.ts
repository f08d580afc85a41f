import { synonymsOf } from './synonyms.ts'
import { words } from './words.ts'

/** One thing that can be found: its fields by weight. */
export interface Document<T> {
  item: T
  fields: readonly { text: string; weight: number }[]
}

// Okapi BM25 with the usual constants (Robertson and Zaragoza, 2009), term frequencies summed over weighted fields (BM25F).
const K1 = 1.2
const B = 0.6

/** What a word counts that the query does not hold but may mean. */
const SYNONYM = 0.6

/** The documents that share a word or a synonym with the query, best first; equal scores keep the given order. */
export function rank<T>(documents: readonly Document<T>[], query: string, limit: number): { item: T; score: number }[] {
  const bags = documents.map(bagOf)
  const average = bags.reduce((sum, { length }) => sum + length, 0) / Math.max(1, bags.length)
  const terms = [...new Set(words(query))]
  const meanings = terms.map((term) => [
    {
      weight: inverseFrequency(bags, (counts) => frequency(counts, term)),
      frequencyIn: (counts: Counts) => frequency(counts, term),
    },
    // Whole words only: work may mean a plan, workflow does not.
    ...[...synonymsOf(term)].map((other) => ({
      weight: SYNONYM * inverseFrequency(bags, (counts) => counts.get(other) ?? 0),
      frequencyIn: (counts: Counts) => counts.get(other) ?? 0,
    })),
  ])
  return documents
    .map(({ item }, index) => ({ item, score: scoreOf(bags[index], meanings, average) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
}

type Counts = ReadonlyMap<string, number>

interface Bag {
  counts: Map<string, number>
  length: number
}

function bagOf({ fields }: Document<unknown>): Bag {
  const counts = new Map<string, number>()
  let length = 0
  for (const { text, weight } of fields) {
    for (const word of words(text)) {
      counts.set(word, (counts.get(word) ?? 0) + weight)
      length += 1
    }
  }
  return { counts, length }
}

function inverseFrequency(bags: readonly Bag[], frequencyIn: (counts: Counts) => number): number {
  const holding = bags.filter(({ counts }) => frequencyIn(counts) > 0).length
  return Math.log(1 + (bags.length - holding + 0.5) / (holding + 0.5))
}

interface Meaning {
  weight: number
  frequencyIn(counts: Counts): number
}

/** For each word of the query what fits best: itself or one of its synonyms. */
function scoreOf(bag: Bag | undefined, meanings: readonly (readonly Meaning[])[], average: number): number {
  if (!bag) return 0
  const norm = K1 * (1 - B + (B * bag.length) / average)
  const score = ({ weight, frequencyIn }: Meaning) => {
    const count = frequencyIn(bag.counts)
    return (weight * count * (K1 + 1)) / (count + norm)
  }
  return meanings.reduce((sum, same) => sum + Math.max(...same.map(score)), 0)
}

/** A word counts whole; one that only begins with the term (plan, planning) counts for less. */
function frequency(counts: Counts, term: string): number {
  const exact = counts.get(term)
  if (exact !== undefined) return exact
  if (term.length < 4) return 0
  let partial = 0
  for (const [word, count] of counts) if (isNear(word, term)) partial += count * 0.4
  return partial
}

/** One begins with the other and is little longer: a workflow is no work. */
function isNear(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  return short.length >= 4 && long.length - short.length <= 3 && long.startsWith(short)
}
