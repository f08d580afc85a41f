/** Why a text is not JSON, for people. The parser's own words differ between versions of Node and quote the input; only the position in them is of use. */
export function whereNotJson(json: string, { message }: SyntaxError): string {
  if (json.trim() === '') return 'there is nothing.'
  const position = /at position (\d+)/.exec(message)?.[1]
  const at = position === undefined && /end of JSON/.test(message) ? json.length : Number(position)
  if (Number.isNaN(at)) return 'a value is none; texts and names stand in double quotes.'
  if (at >= json.length) return 'the end comes too early.'
  const before = json.slice(0, at).split('\n')
  return `"${json.slice(at, at + 1)}" at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}.`
}
