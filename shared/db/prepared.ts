import type { QueryConfig } from 'pg'

/** A statement is worth a plan that the server keeps once it has been sent this often. */
const OFTEN = 3
/** Statements with a name; the server keeps a plan for each on every connection, so lists with many shapes must not add up. */
const MOST = 500
/** Uses after which a statement is planned anew, ten times more each time: a plan made for an empty table may stay for ever. */
const FIRST_RENEWAL = 50

interface Statement {
  number: number
  uses: number
  renewal: number
  renewAt: number
}

const seen = new Map<string, number>()
const named = new Map<string, Statement>()
let generation = 0

/**
 * The statement as `pg` sends it: one that comes again and again gets a name, under which the server keeps it parsed and, after
 * a few runs, planned. Parsing and planning are half of what our statements over many columns cost.
 */
export function prepared(text: string, parameters: readonly unknown[]): QueryConfig {
  // Without parameters a text may hold several statements, which can't be prepared.
  if (parameters.length === 0) return { text }
  const values = [...parameters]
  const name = nameOf(text)
  return name === undefined ? { text, values } : { text, values, name }
}

/** Gives all statements new names: after a migration the server refuses those whose columns have changed. */
export function forgetPrepared(): void {
  generation += 1
}

function nameOf(text: string): string | undefined {
  const statement = named.get(text) ?? promoted(text)
  if (statement === undefined) return undefined
  statement.uses += 1
  if (statement.uses >= statement.renewAt) {
    statement.renewal += 1
    statement.renewAt *= 10
  }
  return `sp_${generation}_${statement.number}_${statement.renewal}`
}

function promoted(text: string): Statement | undefined {
  if (named.size >= MOST) return undefined
  const times = (seen.get(text) ?? 0) + 1
  if (times < OFTEN) {
    if (seen.size >= MOST) seen.clear()
    seen.set(text, times)
    return undefined
  }
  seen.delete(text)
  const statement = { number: named.size, uses: 0, renewal: 0, renewAt: FIRST_RENEWAL }
  named.set(text, statement)
  return statement
}
