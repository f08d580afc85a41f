import jsonata from 'jsonata'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Query JSON',
  description:
    'Evaluates a JSONata expression on JSON: paths, filters, sorting, grouping, arithmetic, reshaping. Such as orders[total > 100].{"id": id, "sum": $sum(lines.price)}.',
  input_schema: {
    type: 'object',
    properties: {
      data: { description: 'Any JSON' },
      expression: { type: 'string', minLength: 1, maxLength: 20_000 },
      variables: { type: 'object', description: 'Read in the expression as $name' },
    },
    required: ['data', 'expression'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      found: { type: 'boolean', description: 'False when the expression leads to nothing' },
      result: { description: 'null when nothing was found' },
    },
    required: ['found', 'result'],
  },
}

interface Input {
  data: unknown
  expression: string
  variables?: Record<string, unknown>
}

export default async function jsonQuery({ data, expression, variables }: Input) {
  const query = compile(expression)
  const result: unknown = await query.evaluate(data, variables).catch((error: unknown) => {
    refuse('expression', `can not be evaluated on this data${where(error)}`)
  })
  return { found: result !== undefined, result: result === undefined ? null : plain(result) }
}

/** Only JSON: a function of JSONata is an object that contains itself. */
function plain(result: unknown): unknown {
  const text = JSON.stringify(result, (_key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value))
      refuse('expression', 'gives a number that is out of range')
    return isFunction(value) ? refuse('expression', 'gives a function, not JSON') : value
  })
  return JSON.parse(text)
}

function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && ('_jsonata_function' in value || '_jsonata_lambda' in value)
}

function compile(expression: string) {
  try {
    return jsonata(expression)
  } catch (error) {
    return refuse('expression', `does not parse${where(error)}`)
  }
}

/** The library's errors have a position, a code and the token they stumbled over. */
function where(error: unknown): string {
  const { position, token } = error as { position?: number; token?: unknown }
  const near = typeof token === 'string' ? `, near ${JSON.stringify(token.slice(0, 40))}` : ''
  return typeof position === 'number' ? ` at character ${position}${near}` : near
}
