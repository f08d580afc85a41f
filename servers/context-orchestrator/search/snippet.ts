import type { Checkpoint, Part } from '../checkpoint.ts'
import { textsOf } from './search-text.ts'

const LENGTH = 200

/** The entry of a checkpoint that has most of the words, cut around the first of them; undefined when none has any. */
export function snippetOf(checkpoint: Checkpoint, query: string): { part: Part; text: string } | undefined {
  const words = [...new Set(query.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [])].map(stem)
  let best: { part: Part; text: string; hits: number } | undefined
  for (const [part, texts] of textsOf(checkpoint)) {
    for (const text of texts) {
      const low = text.toLowerCase()
      const hits = words.filter((word) => low.includes(word)).length
      if (hits > (best?.hits ?? 0)) best = { part, text: around(text, low, words), hits }
    }
  }
  return best && { part: best.part, text: best.text }
}

/** The index knows word forms; here the beginning of a word will do. */
function stem(word: string): string {
  return word.length > 5 ? word.slice(0, -2) : word
}

function around(text: string, low: string, words: readonly string[]): string {
  if (text.length <= LENGTH) return text
  const first = Math.min(...words.map((word) => low.indexOf(word)).filter((at) => at >= 0))
  const start = Math.max(0, Math.min(first - LENGTH / 4, text.length - LENGTH))
  const cut = text.slice(start, start + LENGTH)
  return `${start > 0 ? '…' : ''}${cut}${start + LENGTH < text.length ? '…' : ''}`
}
