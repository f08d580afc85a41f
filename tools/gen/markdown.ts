/** A Markdown table; cells are text, so pipes and line breaks inside them are made harmless. */
export function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heading), `|${heading.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** Replaces what stands between `<!-- generated:name -->` and `<!-- /generated:name -->`; throws when the marks are missing. */
export function replaceBlock(text: string, name: string, content: string, file: string): string {
  const [open, close] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`]
  const start = text.indexOf(open)
  const end = text.indexOf(close)
  if (start < 0 || end < start) throw new Error(`${file} has no block ${open} ... ${close}`)
  return `${text.slice(0, start + open.length)}\n${content}\n${text.slice(end)}`
}

export function hasBlock(text: string, name: string): boolean {
  return text.includes(`<!-- generated:${name} -->`)
}
