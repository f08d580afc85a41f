import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Validate JSON',
  description:
    'Checks JSON against a JSON Schema (2020-12) and names every place that does not fit. Of format nothing is checked.',
  input_schema: {
    type: 'object',
    properties: {
      data: { description: 'Any JSON' },
      schema: { type: 'object' },
      limit: { type: 'integer', minimum: 1, maximum: 1_000, description: 'Faults at most; 100' },
    },
    required: ['data', 'schema'],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      valid: { type: 'boolean' },
      faults: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            path: { type: 'string', description: 'JSON Pointer; empty for the whole' },
            rule: { type: 'string', description: 'Keyword of the schema, such as type or required' },
            expected: { description: 'What the keyword asks for' },
          },
          required: ['path', 'rule', 'expected'],
        },
      },
      more: { type: 'boolean', description: 'There are more than limit' },
    },
    required: ['valid', 'faults', 'more'],
  },
}

interface Input {
  data: unknown
  schema: Record<string, unknown>
  limit?: number
}

export default function jsonValidate({ data, schema, limit = 100 }: Input) {
  if ('$async' in schema) refuse('schema', 'must not be $async')
  const validate = compile(schema)
  const valid = validate(data)
  const faults = valid ? [] : (validate.errors ?? []).map(shown)
  return { valid, faults: faults.slice(0, limit), more: faults.length > limit }
}

function compile(schema: Record<string, unknown>) {
  try {
    return new Ajv2020({
      allErrors: true,
      verbose: true,
      strict: false,
      validateFormats: false,
      logger: false,
      // Else every object would have a toString.
      ownProperties: true,
    }).compile(schema)
  } catch {
    return refuse('schema', 'is not a JSON Schema of 2020-12, or refers to something outside of it')
  }
}

function shown({ instancePath, keyword, params, schema }: ErrorObject) {
  const named = params as Record<string, string | undefined>
  const property = named['missingProperty'] ?? named['additionalProperty'] ?? named['unevaluatedProperty']
  return { path: instancePath, rule: keyword, expected: property ?? schema ?? params }
}
