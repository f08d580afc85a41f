import { createContext, Script } from 'node:vm'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Fault } from '../errors/index.ts'
import { schemaFault } from './schema-fault.ts'

/** Longest time one `pattern` may take on one string. */
const PATTERN_MS = 50

/** Faults of a value; empty when it fits. */
export type SchemaCheck = (value: unknown) => Fault[]

/**
 * Compiles a JSON Schema (2020-12) that came from outside; undefined when it is none, or refers outside itself. Patterns run
 * with a time limit: a regular expression from outside can otherwise hold the process for ever (`(a+)+$`).
 */
export function compileSchema(schema: unknown, root = 'value'): SchemaCheck | undefined {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || '$async' in schema))
    return undefined
  // A fresh instance each time: ajv keeps every schema it has seen, and schemas from outside have no end.
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    validateFormats: false,
    logger: false,
    code: { regExp: bounded },
  })
  const validate = compiled(ajv, schema)
  return (
    validate &&
    ((value) => (validate(value) ? [] : (validate.errors ?? []).slice(0, 20).map((e) => schemaFault(e, root))))
  )
}

function compiled(ajv: Ajv2020, schema: object | boolean): ValidateFunction | undefined {
  try {
    return ajv.compile(schema)
  } catch {
    // The reason is ajv's own text; the caller hears that the schema is not usable.
    return undefined
  }
}

const sandbox = createContext({ pattern: /./, text: '' }, { codeGeneration: { strings: false, wasm: false } })
const test = new Script('pattern.test(text)')

const bounded = Object.assign(
  (source: string, flags: string) => {
    const pattern = new RegExp(source, flags)
    return {
      // ajv keeps compiled patterns by this text: without it all would share the first one.
      toString: () => String(pattern),
      test(text: string): boolean {
        sandbox['pattern'] = pattern
        sandbox['text'] = text
        try {
          return test.runInContext(sandbox, { timeout: PATTERN_MS }) === true
        } catch {
          // Ran out of time: a value that can not be checked does not fit.
          return false
        }
      },
    }
  },
  { code: 'bounded' },
)
