/** Names the model wherever its vectors are kept or shown: two models' vectors are never compared. */
export const HASH_MODEL = 'hash-256-v1'

const DIMENSIONS = 256
const WORD = 1
/** A word of n letters has n pieces; together they count about as much as the word. */
const PIECE = 0.3

/**
 * A text as 256 numbers of length 1 (all 0 for a text without letters and digits), the same on every machine: words and pieces
 * of words hashed into places. It knows spelling and nothing of meaning: what it finds beyond exact words are other forms of
 * them, parts of identifiers and slips of the pen.
 */
export function hashVector(text: string): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0)
  for (const word of wordsOf(text)) {
    add(vector, word, WORD)
    const framed = `<${word}>`
    for (let i = 0; i + 3 <= framed.length; i++) add(vector, framed.slice(i, i + 3), PIECE)
  }
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((value) => value / length)
}

/** `readFileSync`, `read_file` and `read-file` are the words that they are made of. */
function wordsOf(text: string): string[] {
  const spaced = text.normalize('NFKC').replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
  return spaced.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Half of the places count backwards, so that what meets by chance cancels out instead of adding up. */
function add(vector: number[], piece: string, weight: number): void {
  const hash = fnv1a(piece)
  const place = hash % DIMENSIONS
  vector[place] = (vector[place] ?? 0) + (hash & 0x8000_0000 ? -weight : weight)
}

// FNV-1a (Fowler, Noll, Vo), 32 bits, over UTF-16 units.
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
