/** What one referee says of one server over one way to reach it. */
export interface Row {
  referee: string
  server: string
  over: string
  /** What went well, in figures: `14 listed, 3 called`. */
  figures: string
  /** Each one line; none means passed. */
  faults: string[]
}

/** What to judge: no name means all. */
export interface Wish {
  referees: ReadonlySet<string>
  servers: ReadonlySet<string>
}

export function wanted(names: ReadonlySet<string>, name: string): boolean {
  return names.size === 0 || names.has(name)
}
