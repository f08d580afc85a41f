import { createHash } from 'node:crypto'
import type { Table } from './catalogue.ts'

/**
 * A dump is gzip over lines of JSON: a header, then per table its columns, its rows (arrays of PostgreSQL's own text values) and
 * its sum, then the sequences, then the sum of all. It names no PostgreSQL version in its values, so it loads into any.
 */
export const FORMAT = 1

export interface Header {
  dump: typeof FORMAT
  made_at: string
  /** The server it came from, for people. */
  postgres: string
  /** Migrations that made its tables: it loads into a database with exactly these. */
  migrations: string[]
}

export type Row = (string | null)[]

export interface Sum {
  rows: number
  /** Order of rows does not matter: sum of the first 8 bytes of each row's SHA-256, modulo 2^64, in hex. */
  checksum: string
}

export type Line =
  | Header
  | { table: Table }
  | Row
  | { end: string; sum: Sum }
  | { sequences: Record<string, string> }
  | { finish: { tables: number; rows: number; sha256: string } }

/** Adds rows up, in whatever order they come. */
export class Summing {
  rows = 0
  #total = 0n

  add(line: string): void {
    this.rows += 1
    this.#total = BigInt.asUintN(64, this.#total + createHash('sha256').update(line).digest().readBigUInt64BE())
  }

  get sum(): Sum {
    return { rows: this.rows, checksum: this.#total.toString(16).padStart(16, '0') }
  }
}

export function isSameSum(a: Sum, b: Sum): boolean {
  return a.rows === b.rows && a.checksum === b.checksum
}
