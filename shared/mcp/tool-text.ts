import { safeText } from '../errors/index.ts'

/**
 * A text that one of the server's own tools gives: read as that call, so it is checked, limited and recorded like any other.
 * Plain data, so that a process without the server's code can serve it too.
 */
export interface ToolText {
  tool: string
  /** `{name}` in a value stands for that variable; an argument with a variable that has no value is left out. */
  arguments?: Readonly<Record<string, string | number | boolean>>
  /** Where in the result the text is, such as `definition.typescript`; without it, the whole result as JSON. */
  field?: string
}

export type Variables = Readonly<Record<string, string>>
export type ReadTool = (tool: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>

const VARIABLE = /\{([a-z][a-z0-9_]*)\}/g

/** Calls the tool with the variables filled in; rejects as the tool does. */
export async function readToolText(source: ToolText, variables: Variables, read: ReadTool): Promise<string> {
  const args = Object.entries(source.arguments ?? {}).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [[name, value]]
    return variablesOf(value).every((key) => has(variables, key)) ? [[name, fill(value, variables)]] : []
  })
  const result = await read(source.tool, Object.fromEntries(args))
  const value = source.field === undefined ? result : valueAt(result, source.field)
  return typeof value === 'string' ? value : JSON.stringify(value ?? null, null, 2)
}

/** The names between braces. */
export function variablesOf(text: string): string[] {
  return [...text.matchAll(VARIABLE)].map(([, name]) => String(name))
}

/** The text with each variable's value in its place; one without a value becomes nothing. */
export function fill(text: string, variables: Variables): string {
  return text.replace(VARIABLE, (_, name: string) => (has(variables, name) ? String(variables[name]) : ''))
}

/** The value at a dotted path, or undefined. */
export function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (has(at, key) ? at[key] : undefined), value)
}

/** Text from elsewhere for one line of a list. */
export function line(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? safeText(value, 200) : undefined
}

function has(value: unknown, key: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
}
