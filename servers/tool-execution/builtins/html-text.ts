const NAMED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', '\u00a0'],
])

/** The text with its numbers of characters and the six names everybody writes replaced; other names stay as they are. */
export function fromHtml(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hex: string | undefined, number: string | undefined, name: string | undefined) => {
      if (name !== undefined) return NAMED.get(name) ?? whole
      return character(hex === undefined ? Number(number) : Number.parseInt(hex, 16))
    },
  )
}

/** As HTML says: what no character has as its number is U+FFFD. */
function character(code: number): string {
  const none = code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)
  return none ? '\ufffd' : String.fromCodePoint(code)
}
