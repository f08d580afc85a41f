/** One thing that can be found: its fields by weight. */
export interface Document<T> {
  item: T
  fields: readonly { text: string; weight: number }[]
}

// Okapi BM25 with the usual constants (Robertson and Zaragoza, 2009), term frequencies summed over weighted fields (BM25F).
const K1 = 1.2
const B = 0.6

/** The documents that share a word with the query, best first; equal scores keep the given order. */
export function rank<T>(documents: readonly Document<T>[], query: string, limit: number): { item: T; score: number }[] {
  const bags = documents.map(bagOf)
  const average = bags.reduce((sum, { length }) => sum + length, 0) / Math.max(1, bags.length)
  const terms = [...new Set(words(query))]
  const weights = new Map(terms.map((term) => [term, inverseFrequency(bags, term)]))
  return documents
    .map(({ item }, index) => ({ item, score: scoreOf(bags[index], weights, average) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
}

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

function inverseFrequency(bags: readonly Bag[], term: string): number {
  const holding = bags.filter(({ counts }) => frequency(counts, term) > 0).length
  return Math.log(1 + (bags.length - holding + 0.5) / (holding + 0.5))
}

function scoreOf(bag: Bag | undefined, weights: ReadonlyMap<string, number>, average: number): number {
  if (!bag) return 0
  let score = 0
  for (const [term, weight] of weights) {
    const count = frequency(bag.counts, term)
    const norm = K1 * (1 - B + (B * bag.length) / average)
    score += (weight * count * (K1 + 1)) / (count + norm)
  }
  return score
}

/** A word counts whole; one that only begins with the term (plan, planning) counts for less. */
function frequency(counts: ReadonlyMap<string, number>, term: string): number {
  const exact = counts.get(term)
  if (exact !== undefined) return exact
  if (term.length < 4) return 0
  let partial = 0
  for (const [word, count] of counts)
    if (word.startsWith(term) || (word.length >= 4 && term.startsWith(word))) partial += count * 0.4
  return partial
}

const STOP = new Set(
  'a an and are as at be by for from how i in is it its me my of on or so that the this to use what when which with'.split(
    ' ',
  ),
)

/** Lower-case words without the commonest endings, so that plans finds plan and cancelling finds cancel. */
export function words(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !STOP.has(word)).map(stem)
}

function stem(word: string): string {
  if (word.length > 5 && word.endsWith('ing')) return undouble(word.slice(0, -3))
  if (word.length > 4 && word.endsWith('ied')) return `${word.slice(0, -3)}y`
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (word.length > 4 && word.endsWith('ed')) return undouble(word.slice(0, -2))
  if (word.length > 3 && word.endsWith('s') && !word.endsWith('ss')) return word.slice(0, -1)
  return word
}

function undouble(word: string): string {
  return /([bdgmnprt])\1$/.test(word) ? word.slice(0, -1) : word
}
