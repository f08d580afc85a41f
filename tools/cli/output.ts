import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** What a command needs to speak: results on stdout, everything else on stderr. */
export interface Output {
  readonly json: boolean
  /** A result for people (`text`) or for programs (`value`, one line of JSON). */
  result(value: unknown, text: string): void
  /** A part of a longer result, as it comes: stdout, people only. */
  say(text: string): void
  /** Words on the way: stderr, people only. */
  note(text: string): void
  /** One line that replaces itself on a terminal and is silent elsewhere; '' removes it. */
  progress(text: string): void
  style(style: Style, text: string): string
}

const noColour = (env: NodeJS.ProcessEnv) => (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'

export function createOutput(options: { json: boolean; quiet?: boolean }): Output {
  const { json, quiet = false } = options
  const colour = Boolean(process.stdout.isTTY) && !noColour(process.env) && !json
  const live = Boolean(process.stderr.isTTY) && !noColour(process.env) && !json && !quiet
  let shown = false
  const clear = () => {
    if (shown) process.stderr.write('\r\u001b[2K')
    shown = false
  }
  return {
    json,
    result(value, text) {
      clear()
      process.stdout.write(json ? `${JSON.stringify(value)}\n` : text === '' ? '' : `${text}\n`)
    },
    say(text) {
      if (json) return
      clear()
      process.stdout.write(`${text}\n`)
    },
    note(text) {
      if (json || quiet) return
      clear()
      process.stderr.write(`${text}\n`)
    },
    progress(text) {
      if (!live) return
      clear()
      if (text === '') return
      process.stderr.write(text.slice(0, (process.stderr.columns ?? 80) - 1))
      shown = true
    },
    style: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
  }
}

/** Columns as wide as their longest cell; the first row is the heading. Numbers are set to the right. */
export function table(rows: readonly (readonly (string | number)[])[], style: Output['style']): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, String(cell).length)
    })
  }
  const line = (row: readonly (string | number)[]) =>
    row
      .map((cell, i) =>
        typeof cell === 'number' ? String(cell).padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return rows.map((row, i) => (i === 0 ? style('bold', line(row)) : line(row))).join('\n')
}
