import type { Token } from 'marked'
import { fromHtml } from './html-text.ts'

/** What a reader sees of inline Markdown; a `<br>` is a line break, other HTML is nothing. */
export function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      const { type, text = '', tokens: inner } = token as { type: string; text?: string; tokens?: Token[] }
      if (inner) return plainText(inner)
      if (type === 'br') return '\n'
      if (type === 'html') return /^<br\s*\/?>$/i.test(text) ? '\n' : ''
      return type === 'codespan' ? text : fromHtml(text)
    })
    .join('')
}
