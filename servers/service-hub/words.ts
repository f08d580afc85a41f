const STOP = new Set(
  'a an and are as at be by do does for from have how i in into is it its me more my need of on or so some that the there this to use want what when which while with'.split(
    ' ',
  ),
)

/** Lower-case words without the commonest endings, so that plans finds plan and cancelling finds cancel. */
export function words(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !STOP.has(word)).map(stem)
}

function stem(plural: string): string {
  if (plural.length > 4 && /ie[sd]$/.test(plural)) return `${plural.slice(0, -3)}y`
  const word = plural.length > 3 && /[^s]s$/.test(plural) ? plural.slice(0, -1) : plural
  if (word.length > 5 && word.endsWith('ing')) return undouble(word.slice(0, -3))
  if (word.length > 4 && word.endsWith('ed')) return undouble(word.slice(0, -2))
  return word
}

function undouble(word: string): string {
  return /([bdgmnprt])\1$/.test(word) ? word.slice(0, -1) : word
}
