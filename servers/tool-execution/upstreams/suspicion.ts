// Control characters but tab and line ends; zero-width and bidirectional marks; tag characters. Joiners stay: scripts and emoji need them.
const INVISIBLE = /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g
const INSTRUCTION = [
  /\b(ignore|disregard|forget)\b.{0,40}\b(previous|prior|above|earlier|other)\b.{0,30}\b(instructions?|rules?|tools?|prompts?)\b/is,
  /\b(do not|don't|never)\b.{0,20}\b(tell|inform|mention|show|reveal)\b.{0,30}\b(user|human|person)\b/is,
  /<\/?(important|system|secret|instructions?)>/i,
  /\bsystem prompt\b/i,
  /\b(before|whenever|instead of)\b.{0,40}\b(using|calling|call|use)\b.{0,40}\b(this|any|other)\b.{0,10}\btools?\b.{0,80}\b(must|read|send|call|first)\b/is,
]

export type Flag = 'invisible_characters' | 'ansi_escapes' | 'instructions_to_a_model'

/** Text of a stranger without what nobody sees. */
export function visibleText(text: string): string {
  return text.replace(ANSI, '').replace(INVISIBLE, (character) => ('\t\n\r'.includes(character) ? character : ''))
}

/** What makes a text of a stranger suspicious; words are looked for in what a reader would see. */
export function flagsOf(text: string): Flag[] {
  const shown = visibleText(text)
  const ansi = text.replace(ANSI, '') !== text
  const flags: Flag[] = ansi ? ['ansi_escapes'] : []
  if (shown.length !== text.replace(ANSI, '').length) flags.push('invisible_characters')
  if (INSTRUCTION.some((pattern) => pattern.test(shown))) flags.push('instructions_to_a_model')
  return flags
}

/** The same value with only visible text, and the flags of all its texts. */
export function visibleValue<T>(value: T): { value: T; flags: Flag[] } {
  const flags = new Set<Flag>()
  const walk = (node: unknown): unknown => {
    if (typeof node === 'string') {
      for (const flag of flagsOf(node)) flags.add(flag)
      return visibleText(node)
    }
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [walk(key), walk(child)]))
  }
  return { value: walk(value) as T, flags: [...flags].sort() }
}
