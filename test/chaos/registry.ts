import { readdirSync } from 'node:fs'
import type { Mode } from './options.ts'
import type { Random } from './random.ts'
import type { Subject } from './subject.ts'

/** One way to do harm: faults/<name>.ts exports one by default. */
export interface Fault {
  /** `kill` and `supervisor` are counted, `other` fills minutes. */
  kind: 'kill' | 'supervisor' | 'other'
  modes: readonly Mode[]
  /** Why it can't be done here, in words; it is then left out and said so. */
  impossible?(subject: Subject): string | undefined
  /** Does the harm and takes its cause away again; resolves at the moment when the cause is gone, with what was done. */
  strike(subject: Subject, random: Random): Promise<string>
}

export interface NamedFault extends Fault {
  name: string
}

/** Looks at what is left in the end, through public surfaces only: checks/<name>.ts exports one by default. Returns what is wrong. */
export type Check = (subject: Subject) => Promise<string[]>

export async function faults(): Promise<NamedFault[]> {
  const found = await load<Fault>('faults')
  return found.map(({ name, value }) => ({ ...value, name }))
}

export async function checks(): Promise<{ name: string; check: Check }[]> {
  const found = await load<Check>('checks')
  return found.map(({ name, value }) => ({ name, check: value }))
}

async function load<T>(folder: string): Promise<{ name: string; value: T }[]> {
  const dir = new URL(`${folder}/`, import.meta.url)
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.ts'))
    .sort()
  return Promise.all(
    names.map(async (name) => {
      const module = (await import(new URL(name, dir).href)) as { default: T }
      return { name: name.slice(0, -3), value: module.default }
    }),
  )
}
