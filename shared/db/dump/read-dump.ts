import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { dbErrors } from '../errors.ts'
import { OWN_BOOKS, type Table } from './catalogue.ts'
import { FORMAT, type Header, isSameSum, type Line, type Sum, Summing } from './format.ts'

export interface DumpSummary {
  header: Header
  tables: { table: Table; sum: Sum }[]
  rows: number
  sequences: Record<string, string>
}

/**
 * The lines of a dump, in order, without the tables that say which schema a database has. Throws E0124 where the file is cut off,
 * changed, or none of ours.
 */
export async function* linesOf(file: string): AsyncGenerator<{ line: Line; text: string }> {
  const hash = createHash('sha256')
  let wanted = true
  for await (const text of textLines(file)) {
    const line = parse(file, text)
    if (isFinish(line)) {
      if (line.finish.sha256 === hash.digest('hex')) return
      throw damaged(file, 'its checksum is wrong')
    }
    hash.update(`${text}\n`)
    if ('table' in line) wanted = !OWN_BOOKS.includes(line.table.name)
    if (wanted) yield { line, text }
    else if ('end' in line) wanted = true
  }
  throw damaged(file, 'it ends too early')
}

async function* textLines(file: string): AsyncGenerator<string> {
  const compressed = createReadStream(file)
  const unzipped = createGunzip()
  compressed.on('error', (error) => unzipped.destroy(error))
  compressed.pipe(unzipped).setEncoding('utf8')
  let rest = ''
  const chunks = unzipped[Symbol.asyncIterator]() as AsyncIterator<string>
  try {
    for (;;) {
      const { value, done } = await chunks.next().catch((error) => {
        throw damaged(file, 'it can not be read and unpacked', error)
      })
      if (done) return
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    compressed.destroy()
    unzipped.destroy()
  }
}

/** Reads a whole dump and checks every sum in it, without keeping any of it. */
export async function verifyDump(file: string): Promise<DumpSummary> {
  let header: Header | undefined
  let table: Table | undefined
  let summing = new Summing()
  const found: Omit<DumpSummary, 'header'> = { tables: [], rows: 0, sequences: {} }
  for await (const { line, text } of linesOf(file)) {
    if (header === undefined) {
      header = headerOf(file, line)
    } else if (Array.isArray(line)) summing.add(text)
    else if ('table' in line) {
      table = line.table
      summing = new Summing()
    } else if ('sequences' in line) found.sequences = line.sequences
    else if ('end' in line) {
      assertSame(file, line, summing.sum)
      if (table) found.tables.push({ table, sum: line.sum })
      found.rows += summing.rows
    }
  }
  if (header === undefined) throw damaged(file, 'it is empty')
  return { header, ...found }
}

function assertSame(file: string, { end, sum }: { end: string; sum: Sum }, found: Sum): void {
  if (!isSameSum(sum, found)) throw damaged(file, `the rows of ${end} are not those that were written`)
}

/** The first line alone: what a dump is, without reading it. */
export async function dumpHeader(file: string): Promise<Header> {
  for await (const { line } of linesOf(file)) return headerOf(file, line)
  throw damaged(file, 'it is empty')
}

function headerOf(file: string, line: Line): Header {
  if (Array.isArray(line) || !('dump' in line)) throw damaged(file, 'it is no dump')
  if (line.dump !== FORMAT) throw dbErrors.newerVersion({ what: `dump format ${String(line.dump)}` })
  return line
}

function isFinish(line: Line): line is Extract<Line, { finish: unknown }> {
  return !Array.isArray(line) && 'finish' in line
}

function parse(file: string, text: string): Line {
  try {
    const line = JSON.parse(text) as Line
    if (typeof line === 'object' && line !== null) return line
  } catch {
    // Said below in our words.
  }
  throw damaged(file, 'it holds something else than lines of a dump')
}

function damaged(file: string, reason: string, cause?: unknown) {
  return dbErrors.dumpDamaged({ file, reason }, cause === undefined ? {} : { cause })
}
