import type { ErrorObject } from 'ajv/dist/2020.js'
import { type Fault, safeText } from '../errors/index.ts'

/** What a JSON Schema validator found, as a fault below `root` in our own words. */
export function schemaFault({ keyword, params, instancePath }: ErrorObject, root: string): Fault {
  const path = instancePath.split('/').slice(1).map(unescaped).reduce(below, root)
  const missing: unknown = params['missingProperty']
  const extra: unknown = params['additionalProperty'] ?? params['unevaluatedProperty']
  if (typeof missing === 'string') return { path: below(path, missing), message: 'is required' }
  if (typeof extra === 'string') return { path: below(path, extra), message: 'is not a known field' }
  const words = Object.hasOwn(WORDS, keyword) ? WORDS[keyword] : undefined
  return { path, message: words ? words(params) : `does not fit ${safeText(keyword, 40)} of its schema` }
}

type Params = ErrorObject['params']

const limit = (words: string) => (params: Params) => `must ${words} ${String(params['limit'])}`
const number = ({ comparison, limit: bound }: Params) => `must be ${String(comparison)} ${String(bound)}`
const listed = (values: unknown) => (Array.isArray(values) ? values : [values]).slice(0, 20)

const WORDS: Record<string, (params: Params) => string> = {
  type: ({ type }) => `must be of type ${listed(type).join(' or ')}`,
  enum: ({ allowedValues }) => `must be one of ${listed(allowedValues).map(shown).join(', ')}`,
  const: ({ allowedValue }) => `must be ${shown(allowedValue)}`,
  minLength: limit('have a length of at least'),
  maxLength: limit('have a length of at most'),
  minItems: limit('have a size of at least'),
  maxItems: limit('have a size of at most'),
  minProperties: limit('have a size of at least'),
  maxProperties: limit('have a size of at most'),
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${String(multipleOf)}`,
  pattern: ({ pattern }) => `must match ${safeText(pattern)}`,
  uniqueItems: () => 'must not hold the same item twice',
  anyOf: () => 'has none of the allowed forms',
  oneOf: () => 'must have exactly one of the allowed forms',
  not: () => 'has a form that is not allowed',
  'false schema': () => 'is not allowed',
}

function shown(value: unknown): string {
  return safeText(typeof value === 'string' ? value : JSON.stringify(value), 60)
}

function unescaped(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

function below(path: string, part: string): string {
  if (/^\d+$/.test(part)) return `${path}[${part}]`
  const name = safeText(part, 60)
  return path === '' ? name : `${path}.${name}`
}
